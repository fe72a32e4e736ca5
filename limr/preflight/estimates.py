"""Estimates of the memory and disk that a run on GPUs needs, from the model's shape and the configuration.

This is arithmetic that a reader can check. The number of weights is tested against transformers and against the
published size of the paper's model. The estimates of memory and disk were never compared with a run on a GPU.
docs/paper_run.md names the sources.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from limr.errors import LimrError

GIB = 2**30

# assumptions; docs/paper_run.md lists them
OVERHEAD = 5.0  # GiB of a GPU: CUDA contexts of four processes, NCCL's buffers, memory of a sleeping vLLM, fragments
PROCESS = 3.0  # GiB of the machine: one process with torch, CUDA and Ray
LIVE_PARAMETERS = 1e9  # ZeRO-3 gathers at most this many at a time (stage3_max_live_parameters, DeepSpeed's default)
RESPONSE_TOKENS = 800  # mean length of a response; the disk space for rollouts is proportional to it


@dataclass(frozen=True)
class Shape:
    """The sizes of a dense decoder such as Llama or Qwen2, from its config.json."""

    hidden: int
    intermediate: int
    layers: int
    heads: int
    kv_heads: int
    head: int
    vocabulary: int
    tied: bool
    biases: bool  # of queries, keys and values

    @property
    def parameters(self) -> int:
        """Number of weights."""
        queries, keys = self.heads * self.head, 2 * self.kv_heads * self.head
        attention = 2 * self.hidden * queries + self.hidden * keys + self.biases * (queries + keys)
        layer = attention + 3 * self.hidden * self.intermediate + 2 * self.hidden
        return self.layers * layer + (1 if self.tied else 2) * self.vocabulary * self.hidden + self.hidden

    @property
    def cache_bytes(self) -> int:
        """Bytes of keys and values of one token, in bf16."""
        return 2 * 2 * self.layers * self.kv_heads * self.head


def shape_of(config: Mapping[str, Any]) -> Shape:
    """The shape that a config.json describes. Raises LimrError if it describes another kind of model."""
    if not isinstance(config, Mapping):
        raise LimrError(found=f"a {type(config).__name__}", expected="an object")
    try:
        return Shape(
            hidden=config["hidden_size"],
            intermediate=config["intermediate_size"],
            layers=config["num_hidden_layers"],
            heads=config["num_attention_heads"],
            kv_heads=config.get("num_key_value_heads") or config["num_attention_heads"],
            head=config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"],
            vocabulary=config["vocab_size"],
            tied=config.get("tie_word_embeddings", False),
            biases=config.get("model_type") == "qwen2",
        )
    except KeyError as error:
        raise LimrError(
            f"no key {error}", expected="the config.json of a dense decoder such as Llama or Qwen2"
        ) from error
    except (TypeError, ZeroDivisionError) as error:
        raise LimrError(f"a size is zero or not a number ({error})") from error


def learning_memory(shape: Shape, training: Mapping[str, Any]) -> dict[str, float]:
    """GiB of one GPU while the actor learns, by use, where OpenRLHF 0.11.2 places all models on all GPUs.

    In bytes, with P parameters, N GPUs, width h, feed-forward width i, vocabulary V and micro-batches of t tokens:

    - weights of actor, critic and reference in bf16: 3 x 2P with ZeRO-2, 3 x 2P/N with ZeRO-3. They stay on the GPU
      while a model sleeps.
    - gradients: 2P/N. Adam and weights in fp32: 12P/N, unless offloaded (Rajbhandari et al. 2020, section 3). With
      ZeRO-2 those of the critic are on the GPU at the same time, because only ZeRO-3 models can sleep.
    - activations: one checkpoint per layer, 2th; and those of one layer computed again, 2t(10h + 4i).
    - logits: in bf16 and fp32 with their gradients, 12tV. Before that the rollouts are read in micro-batches of another
      size, which makes logits in bf16 and fp32, 6tV. The larger of the two counts.
    """
    parameters, gpus = shape.parameters, training["nodes"] * training["gpus_per_node"]
    sharded = training["zero_stage"] == 3
    tokens = training["train_micro_batch_size"] * _longest(training)
    read = training["rollout_micro_batch_size"] * _longest(training)
    learning_at_once = 1 if sharded else 2
    states = 2 + (0 if training["offload_optimizer"] else 12)
    return {
        "weights": 3 * 2 * parameters / (gpus if sharded else 1) / GIB,
        "gradients and optimiser": learning_at_once * states * parameters / gpus / GIB,
        "gathered weights": sharded * 2 * min(parameters, LIVE_PARAMETERS) / GIB,
        "activations": 2 * tokens * (shape.layers * shape.hidden + 10 * shape.hidden + 4 * shape.intermediate) / GIB,
        "logits": max(12 * tokens, 6 * read) * shape.vocabulary / GIB,
        "overhead": OVERHEAD,
    }


def generating_memory(shape: Shape, training: Mapping[str, Any], gpu: float) -> dict[str, float]:
    """GiB of one GPU of ``gpu`` GiB while vLLM generates: its share, and the memory that the other models keep."""
    learning = learning_memory(shape, training)
    asleep = training["zero_stage"] == 3 or training["offload_optimizer"]
    return {
        "vLLM": training["gpu_memory_utilization"] * gpu,
        "weights": learning["weights"],
        "gradients and optimiser": 0.0 if asleep else learning["gradients and optimiser"],
        "overhead": OVERHEAD,
    }


def responses_at_once(shape: Shape, share: float, gpu: float, width: int, tokens: int) -> float:
    """How many responses of ``tokens`` tokens fit into the key-value cache of one vLLM engine.

    The engine has ``share`` of ``width`` GPUs of ``gpu`` GiB. Of this, it needs the weights in bf16, and 2 GiB per GPU
    for a forward pass. The cache gets the rest.
    """
    room = (share * gpu - 2) * width - 2 * shape.parameters / GIB
    return room * GIB / (shape.cache_bytes * tokens)


def host_memory(shape: Shape, training: Mapping[str, Any]) -> dict[str, float]:
    """GiB of the memory of one machine: its part of the optimisers and sleeping engines, and its processes.

    In bytes, with P parameters: fp32 weights and two moments of actor and critic, 12P each, and their gradients. These
    are 2P in bf16 while the models sleep, and 4P more in fp32 where they are offloaded. A sleeping vLLM engine keeps
    its weights, 2P. Each GPU has four processes.
    """
    engines = training["gpus_per_node"] // training["tensor_parallel_size"] or 1
    away = 18 if training["offload_optimizer"] else 14 if training["zero_stage"] == 3 else 0
    return {
        "optimisers": 2 * away * shape.parameters / training["nodes"] / GIB,
        "sleeping vLLM": engines * 2 * shape.parameters / GIB,
        "processes": 4 * training["gpus_per_node"] * PROCESS,
    }


def disk(shape: Shape, training: Mapping[str, Any], runs: int) -> dict[str, float]:
    """GB of disk for ``runs`` runs, one after the other.

    In bytes, with P parameters: a checkpoint to resume from has 14P each for actor and critic (bf16 weights, fp32
    weights and two moments). One more such checkpoint exists while it is written. They are deleted when the run is
    finished. Weights of every checkpoint and of the base model: 2P. Responses of ``RESPONSE_TOKENS`` tokens are stored
    twice: 4 bytes per token as recorded, and 1.5 packed.
    """
    parameters = shape.parameters
    responses = training["steps"] * training["prompts_per_step"] * training["samples_per_prompt"]
    policies = -(-training["steps"] // training["checkpoint_interval"])
    kept = training["checkpoints_to_resume_from"]
    return {
        "base model": 2 * parameters / 1e9,
        "checkpoints": runs * policies * 2 * parameters / 1e9,
        "states to resume from": (kept + 1) * 2 * 14 * parameters / 1e9,
        "rollouts": runs * responses * RESPONSE_TOKENS * 5.5 / 1e9,
    }


def _longest(training: Mapping[str, Any]) -> int:
    return training["max_prompt_tokens"] + training["max_response_tokens"]
