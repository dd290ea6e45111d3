#!/usr/bin/env bash
# One training over several machines by ssh: configs/cluster/ssh.sh HOST HOST ... -- FLAGS OF train.py
# Each host has this repository, its environment (make .venv/installed) and the data in the same
# places, and reaches the others at port 2222. The first host keeps what the run leaves.
# Not run here over ssh; the same processes were run on one machine.
set -euo pipefail

hosts=()
while [ $# -gt 0 ] && [ "$1" != "--" ]; do hosts+=("$1"); shift; done
[ "${#hosts[@]}" -gt 0 ] && [ $# -gt 1 ] || { sed -n 2,4p "$0"; exit 2; }
shift

workers=$(printf '"%s:2222", ' "${hosts[@]}")
flags=$(printf '%q ' "$@" --distribute=multi_worker)
pids=()
for index in "${!hosts[@]}"; do
  config="{\"cluster\": {\"worker\": [${workers%, }]}, \"task\": {\"type\": \"worker\", \"index\": $index}}"
  ssh "${hosts[$index]}" "cd $(printf %q "$PWD") && TF_CONFIG=$(printf %q "$config") .venv/bin/python train.py $flags" &
  pids+=($!)
done
for pid in "${pids[@]}"; do wait "$pid"; done
