#!/usr/bin/env bash
# One training in several processes of this machine: configs/cluster/local.sh NUMBER FLAGS OF train.py
# Each listens at a port of its own, from 28741 on, or from $FIRST_PORT.
set -euo pipefail

[ $# -gt 1 ] || { sed -n 2,3p "$0"; exit 2; }
number=$1; shift
first=${FIRST_PORT:-28741}
workers=$(for index in $(seq 0 $((number - 1))); do printf '"127.0.0.1:%d", ' $((first + index)); done)
pids=()
for index in $(seq 0 $((number - 1))); do
  export TF_CONFIG="{\"cluster\": {\"worker\": [${workers%, }]}, \"task\": {\"type\": \"worker\", \"index\": $index}}"
  # The first worker tells how it goes; what the others say is the same.
  if [ "$index" -eq 0 ]; then out=/dev/stdout; else out=/dev/null; fi
  python train.py "$@" --distribute=multi_worker >"$out" &
  pids+=($!)
done
code=0
for pid in "${pids[@]}"; do wait "$pid" || code=$?; done
exit "$code"
