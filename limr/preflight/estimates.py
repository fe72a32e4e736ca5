"""What a run on GPUs needs, estimated from the model's shape and the configuration: memory, disk and hours.

Pure arithmetic, so that it can be read, tested and argued with. None of it was measured on a GPU by this project: where
the numbers come from, and how far published runs lie from them, is said in docs/paper_run.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from limr.errors import LimrError

GIB = 2**30

# assumptions, each named in docs/paper_run.md
OVERHEAD = 5.0  # GiB of a GPU: CUDA contexts of four processes, NCCL's buffers, what a sleeping vLLM keeps, fragments
PROCESS = 3.0  # GiB of the machine: one process with torch, CUDA and Ray
LIVE_PARAMETERS = 1e9  # ZeRO-3 gathers at most so many at a time (stage3_max_live_parameters, DeepSpeed's default)
RESPONSE_TOKENS = 800  # mean length of a response; hours and rollouts grow in proportion
PROMPT_TOKENS = 150  # mean length of a prompt with its chat template
TRAINING_FLOPS = 0.35 * 989e12  # a second and GPU: 35 % of what an H100 can do in bf16
GENERATED_TOKENS = 5000  # a second and GPU, of a model of 7.6B parameters; smaller models in proportion to their size
GENERATION_PARAMETERS = 7.6e9


@dataclass(frozen=True)
class Shape:
    """A dense decoder of the kind of Llama and Qwen2, as its config.json has it."""

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
    """The shape that config.json describes. Raises LimrError where it describes another kind of model."""
    if not isinstance(config, Mapping):
        raise LimrError(f"config.json: found a {type(config).__name__}, expected an object")
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
        raise LimrError(f"config.json: no {error}; expected a dense decoder such as Llama's or Qwen2's") from error
    except (TypeError, ZeroDivisionError) as error:
        raise LimrError(f"config.json: a size is not a number, or zero: {error}") from error


def learning_memory(shape: Shape, training: Mapping[str, Any]) -> dict[str, float]:
    """GiB of one GPU while the actor learns, by what takes it, as OpenRLHF 0.11.2 places things with all models there.

    With P parameters on N GPUs, bytes: weights in bf16 of actor, critic and reference, 3 x 2P (ZeRO-2) or 3 x 2P/N
    (ZeRO-3), which stay when a model sleeps; gradients 2P/N; Adam and the weights in fp32, 12P/N, unless they are
    offloaded (Rajbhandari et al. 2020, section 3); with ZeRO-2 the critic's beside them, because only ZeRO-3 is put to
    sleep. Activations of a micro-batch of t tokens: one checkpoint a layer, 2th bytes; one layer's again,
    2t(10h + 4i); logits in bf16 and fp32 with their gradients, 12tV. Reading the rollouts before, in micro-batches of
    their own size, makes logits in bf16 and fp32, 6tV: the larger of the two counts.
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
    """GiB of one GPU of ``gpu`` GiB while vLLM generates: its share, and what the models leave there meanwhile."""
    learning = learning_memory(shape, training)
    asleep = training["zero_stage"] == 3 or training["offload_optimizer"]
    return {
        "vLLM": training["gpu_memory_utilization"] * gpu,
        "weights": learning["weights"],
        "gradients and optimiser": 0.0 if asleep else learning["gradients and optimiser"],
        "overhead": OVERHEAD,
    }


def responses_at_once(shape: Shape, share: float, gpu: float, width: int, tokens: int) -> float:
    """How many responses of ``tokens`` tokens fit in the keys and values that one vLLM engine has room for.

    ``share`` of ``width`` GPUs of ``gpu`` GiB, without weights in bf16 and 2 GiB for a pass: the rest is cache.
    """
    room = (share * gpu - 2) * width - 2 * shape.parameters / GIB
    return room * GIB / (shape.cache_bytes * tokens)


def host_memory(shape: Shape, training: Mapping[str, Any]) -> dict[str, float]:
    """GiB of the memory of one machine.

    Of actor and critic fp32 weights and two moments, 12P bytes each, and gradients: in bf16, 2P, when they sleep; in
    fp32 besides, 4P, where they are offloaded. Of each vLLM engine 2P: its weights, while it sleeps. The machine's part
    of both. And what four processes a GPU take by themselves.
    """
    engines = training["gpus_per_node"] // training["tensor_parallel_size"] or 1
    away = 18 if training["offload_optimizer"] else 14 if training["zero_stage"] == 3 else 0
    return {
        "optimisers": 2 * away * shape.parameters / training["nodes"] / GIB,
        "sleeping vLLM": engines * 2 * shape.parameters / GIB,
        "processes": 4 * training["gpus_per_node"] * PROCESS,
    }


def disk(shape: Shape, training: Mapping[str, Any], runs: int) -> dict[str, float]:
    """GB of disk of ``runs`` runs, one after the other: 14P bytes of actor and critic a checkpoint to resume from.

    (bf16 weights, fp32 weights and two moments), one more while it is written, until the run is finished; weights of
    every checkpoint and of the base model, 2P; and what a response of ``RESPONSE_TOKENS`` tokens takes, twice: 4 bytes
    a token as recorded, 1.5 packed.
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


def hours(shape: Shape, training: Mapping[str, Any]) -> dict[str, float]:
    """Hours of one training run on H100s: generating, and learning.

    Generated: responses x RESPONSE_TOKENS at GENERATED_TOKENS a second and GPU. Learned from: every token of prompt and
    response passes the reference, the old actor and the critic (2P operations each), and is learned from by actor and
    critic (6P each, and 2P more to compute activations again): 22P at TRAINING_FLOPS.
    """
    gpus = training["nodes"] * training["gpus_per_node"]
    responses = training["steps"] * training["prompts_per_step"] * training["samples_per_prompt"]
    rate = GENERATED_TOKENS * GENERATION_PARAMETERS / shape.parameters
    operations = 22 * shape.parameters * responses * (PROMPT_TOKENS + RESPONSE_TOKENS)
    return {
        "generating": responses * RESPONSE_TOKENS / (gpus * rate) / 3600,
        "learning": operations / (gpus * TRAINING_FLOPS) / 3600,
    }


def _longest(training: Mapping[str, Any]) -> int:
    return training["max_prompt_tokens"] + training["max_response_tokens"]
