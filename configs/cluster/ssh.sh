#!/usr/bin/env bash
# One training over several machines that ssh reaches, each with this repository at the same path;
# PROGRAM=evaluate.py makes it an evaluation.
#
#   configs/cluster/ssh.sh "host1 host2" --flagfile=configs/mnist_robust.cfg --output_dir=runs/spread
#
# The first machine writes. A host may be HOST:PORT; else PORT, 2222 by default, must be open
# between them. PYTHON and SSH say which to use.
set -euo pipefail

read -ra hosts <<<"$1"
shift
workers=
for host in "${hosts[@]}"; do
    [[ $host == *:* ]] || host="${host}:${PORT:-2222}"
    workers="${workers:+${workers},}\"${host}\""
done
read -ra remote <<<"${SSH:-ssh -tt}"
started=()
# Where one ends in error, the others could wait for it.
trap 'kill "${started[@]}" 2>/dev/null || true' EXIT
for index in "${!hosts[@]}"; do
    cluster="{\"cluster\":{\"worker\":[${workers}]},\"task\":{\"type\":\"worker\",\"index\":${index}}}"
    arguments=("${PYTHON:-python}" "${PROGRAM:-train.py}" --distribute=multi_worker "$@")
    command=$(printf "%q " cd "$PWD")"&& "$(printf "%q " env "TF_CONFIG=${cluster}" "${arguments[@]}")
    "${remote[@]}" "${hosts[index]%%:*}" "$command" &
    started+=($!)
done
for _ in "${started[@]}"; do
    wait -n || exit $?
done
