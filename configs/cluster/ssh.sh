#!/usr/bin/env bash
# One training over several machines that ssh reaches, each with this repository at the same path.
#
#   configs/cluster/ssh.sh "host1 host2" --flagfile=configs/mnist_robust.cfg --output_dir=runs/spread
#
# The first machine writes. PORT (default 2222) must be open between them; PYTHON and SSH as given.
set -euo pipefail

hosts=($1)
shift
port=${PORT:-2222}
workers=$(printf "\"%s:${port}\"," "${hosts[@]}")
started=()
# Where one ends in error, the others could wait for it.
trap 'kill "${started[@]}" 2>/dev/null || true' EXIT
for index in "${!hosts[@]}"; do
    told="{\"cluster\":{\"worker\":[${workers%,}]},\"task\":{\"type\":\"worker\",\"index\":${index}}}"
    command=$(printf "%q " env "TF_CONFIG=${told}" "${PYTHON:-python}" train.py --distribute=multi_worker "$@")
    ${SSH:-ssh -tt} "${hosts[index]}" "cd $(printf %q "$PWD") && ${command}" &
    started+=($!)
done
for process in "${started[@]}"; do
    wait -n || exit $?
done
