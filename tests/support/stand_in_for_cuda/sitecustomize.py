"""Replaces CUDA, so that an unmodified OpenRLHF 0.11.2 trains on a CPU. For tests; it proves nothing about GPUs.

Python imports a module of this name at its start, in every process with this folder on its PYTHONPATH: the command,
Ray's workers, vLLM's engine. It changes nothing until one of the modules below is imported. Then it changes only the
parts that need CUDA: devices, the communication that sends weights to vLLM, and vLLM's packing of weights. This folder
also has an nvidia-smi for the pre-flight, and an empty flash_attn: OpenRLHF imports its helpers, but only packed
samples use them.

It does not test NCCL, CUDA memory shared between processes, sleeping models, flash attention or packed samples.
"""

import importlib.abc
import importlib.util
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any


def cuda(module: ModuleType) -> None:
    """torch.cuda: the current device is the CPU, and synchronisation does nothing."""
    import torch

    if torch.version.cuda is not None:
        return  # the real CUDA

    class Device(str):
        """'cpu' where a device is expected, and '0' in f'cuda:{...}'."""

        def __format__(self, specification: str) -> str:
            return "0"

    device = Device("cpu")
    module.current_device = lambda: device
    for name in ("set_device", "synchronize", "empty_cache", "current_stream"):
        setattr(module, name, lambda *arguments, **named: None)


def device_mesh(module: ModuleType) -> None:
    """torch.distributed.device_mesh: makes a mesh of CPUs instead of GPUs."""
    original = module.init_device_mesh
    module.init_device_mesh = lambda kind, *arguments, **named: original(
        "cpu" if kind == "cuda" else kind, *arguments, **named
    )


def gathering(module: ModuleType) -> None:
    """deepspeed.runtime.zero.partition_parameters: ZeRO-3 gathers parameters one after another.

    DeepSpeed 0.19.6 starts all gathers and waits for the last one only. With NCCL they end in order, and DeepSpeed also
    waits for the GPU. With Gloo they may end in another order, and a late gather then overwrites weights that were
    loaded meanwhile.
    """
    original = module.Init._allgather_params_coalesced

    def in_turn(self: Any, params: Any, hierarchy: int = 0, quantize: bool = False) -> None:
        for param in params:
            original(self, [param], hierarchy, quantize)

    module.Init._allgather_params_coalesced = in_turn


def weight_channel(module: ModuleType) -> None:
    """openrlhf.utils.distributed_util: weights go to vLLM over Gloo instead of NCCL."""

    def stateless_init_process_group(address: str, port: int, rank: int, size: int, device: Any) -> Any:
        from datetime import timedelta

        import torch
        from torch.distributed import PrefixStore, ProcessGroupGloo, TCPStore

        patience = timedelta(seconds=300)
        store = TCPStore(address, int(port), size, rank == 0, timeout=patience)
        group = ProcessGroupGloo(PrefixStore("weights", store), rank, size, patience)

        class Channel:
            kept = store, group

            def broadcast(self, tensor: Any, src: int, stream: Any = None) -> None:
                options = torch.distributed.BroadcastOptions()
                options.rootRank, options.rootTensor = src, 0
                group.broadcast([tensor.detach().view(-1).view(torch.uint8)], options).wait()

        return Channel()

    module.stateless_init_process_group = stateless_init_process_group


def weight_receiver(module: ModuleType) -> None:
    """openrlhf.trainer.ray.vllm_worker_wrap: weights are received in main memory."""
    original = module.WorkerWrap.update_weight

    def update_weight(self: Any, *arguments: Any, **named: Any) -> Any:
        import torch

        empty = torch.empty

        def empty_here(*sizes: Any, **options: Any) -> Any:
            return empty(*sizes, **(options | {"device": "cpu"} if options.get("device") == "cuda" else options))

        torch.empty = empty_here
        try:
            return original(self, *arguments, **named)
        finally:
            torch.empty = empty

    module.WorkerWrap.update_weight = update_weight


def vllm_linear(module: ModuleType) -> None:
    """vllm.model_executor.layers.utils: keeps loaded weights, so that later ones can be loaded.

    On a CPU, vLLM would pack and drop them.
    """

    def dispatch_cpu_unquantized_gemm(layer: Any, remove_weight: bool) -> None:
        import torch

        layer.cpu_linear = torch.nn.functional.linear

    module.dispatch_cpu_unquantized_gemm = dispatch_cpu_unquantized_gemm


def tap(module: ModuleType) -> None:
    """openrlhf.trainer.ppo_trainer: writes the samples of each training step to the file LIMR_TAP, if it is set."""
    file = os.environ.get("LIMR_TAP")
    # only in Ray's workers: Ray sends them the class without changes made in the command's process
    if not file or not sys.argv[0].endswith("default_worker.py"):
        return
    import json

    original = module.BasePPOTrainer.train_step

    def train_step(self: Any, samples: Any, global_step: int) -> Any:
        with Path(file).open("a", encoding="ascii") as stream:
            for sample in samples:
                row = {"step": global_step, "label": sample.labels[0], "reward": sample.rewards[0].item(),
                       "response_tokens": int(sample.response_length[0]), "truncated": bool(sample.truncated[0]),
                       "tokens": sample.sequences[0][1:][sample.action_mask[0].bool()].tolist()}  # fmt: skip
                stream.write(json.dumps(row) + "\n")
        return original(self, samples, global_step)

    module.BasePPOTrainer.train_step = train_step


CHANGES: dict[str, Callable[[ModuleType], None]] = {
    "torch.cuda": cuda,
    "torch.distributed.device_mesh": device_mesh,
    "deepspeed.runtime.zero.partition_parameters": gathering,
    "openrlhf.utils.distributed_util": weight_channel,
    "openrlhf.trainer.ray.vllm_worker_wrap": weight_receiver,
    "vllm.model_executor.layers.utils": vllm_linear,
    "openrlhf.trainer.ppo_trainer": tap,
}


class Finder(importlib.abc.MetaPathFinder):
    """Makes the changes right after a module of ``CHANGES`` is loaded."""

    def __init__(self) -> None:
        self.looking: set[str] = set()

    def find_spec(self, name: str, path: Any, target: Any = None) -> Any:
        if name not in CHANGES or name in self.looking:
            return None
        self.looking.add(name)
        try:
            spec = importlib.util.find_spec(name)
        finally:
            self.looking.discard(name)
        if spec is None or spec.loader is None:
            return spec
        load = spec.loader.exec_module

        def load_and_change(module: ModuleType) -> None:
            load(module)
            CHANGES[name](module)

        spec.loader.exec_module = load_and_change
        return spec


sys.meta_path.insert(0, Finder())
