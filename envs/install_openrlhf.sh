#!/bin/bash
# Makes a virtual environment for training with OpenRLHF 0.11.2 and evaluation with vLLM 0.29.0, from exact versions:
#
#   envs/install_openrlhf.sh gpu .venv-openrlhf    for NVIDIA GPUs; flash-attn needs nvcc of CUDA 13.0
#   envs/install_openrlhf.sh cpu .venv-openrlhf    for the tests of the engines: x86-64, 4 GB, about five minutes
#
# PYTHON names the interpreter (3.11). PIP_FLAGS go to every installation, e.g. an index that has torch for CPUs.
# The versions for GPUs are those of openrlhf.yaml.
set -euo pipefail
machine=${1:?gpu or cpu} environment=${2:?folder of the environment}
here=$(cd "$(dirname "$0")" && pwd)

versions=$(mktemp)
trap 'rm -f "$versions"' EXIT
case $machine in
gpu) sed -n 's/^ *- \([^ ]*===*[^ ]*\)$/\1/p' "$here/openrlhf.yaml" >"$versions" ;; # pip's part: NAME==VERSION
cpu) cat "$here/openrlhf_cpu.txt" >"$versions" ;;
*)
    echo "found $machine, expected gpu or cpu" >&2
    exit 2
    ;;
esac

"${PYTHON:-python3.11}" -m venv "$environment"
PATH=$(cd "$environment/bin" && pwd):$PATH
python -m pip install ${PIP_FLAGS:-} --requirement "$versions"
bash "$here/openrlhf.post-deploy.sh" "$machine"
python -m pip install ${PIP_FLAGS:-} --no-deps --editable "$here/.."
