"""A Qwen2 small enough for two CPU cores: what transformers' Qwen2ForCausalLM computes, written for PPO's shapes.

A group is one prompt with its n responses. The prompt is computed once for all n, which attend to its keys and values.
Dense layers run on real tokens only, never on padding.
Weights are named as in Qwen2ForCausalLM, so a directory saved here loads in transformers and vLLM, and the reverse.
"""

import json
import shutil
from dataclasses import MISSING, dataclass, fields
from pathlib import Path

import torch
import torch.nn.functional as functional
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from limr.errors import LimrError
from limr.files.atomic import whole_directory
from limr.training.miniature.operations import (
    attend,
    causal_bias,
    interleave_halves,
    normalise,
    pad,
    response_bias,
    rotate,
    take,
    unpad,
)

COMPANIONS = ("config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json")


@dataclass(frozen=True)
class Shape:
    """The sizes of a model, under the names of its ``config.json``."""

    vocab_size: int
    hidden_size: int
    intermediate_size: int
    num_hidden_layers: int
    num_attention_heads: int
    num_key_value_heads: int
    rope_theta: float = 10_000.0
    rms_norm_eps: float = 1e-6

    @property
    def head_size(self) -> int:
        return self.hidden_size // self.num_attention_heads


class KeysValues:
    """Keys and values of prompts, one pair a layer, and which of them are real.

    ``layers[l]``: two tensors (groups, key-value heads, prompt length, head size). ``mask``: (groups, prompt length),
    True on real tokens. ``lengths``: (groups,), real tokens.
    """

    def __init__(self, layers: list[tuple[Tensor, Tensor]], mask: Tensor) -> None:
        self.layers = layers
        self.mask = mask
        self.lengths = mask.sum(1)


class Attention(nn.Module):
    """The projections of grouped-query attention, named as in Qwen2."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        kv_size = shape.num_key_value_heads * shape.head_size
        self.q_proj = nn.Linear(shape.hidden_size, shape.hidden_size)
        self.k_proj = nn.Linear(shape.hidden_size, kv_size)
        self.v_proj = nn.Linear(shape.hidden_size, kv_size)
        self.o_proj = nn.Linear(shape.hidden_size, shape.hidden_size, bias=False)


class Layer(nn.Module):
    """One transformer block's parameters."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.self_attn = Attention(shape)
        self.mlp = nn.ModuleDict(
            {
                "gate_proj": nn.Linear(shape.hidden_size, shape.intermediate_size, bias=False),
                "up_proj": nn.Linear(shape.hidden_size, shape.intermediate_size, bias=False),
                "down_proj": nn.Linear(shape.intermediate_size, shape.hidden_size, bias=False),
            }
        )
        self.input_layernorm = nn.RMSNorm(shape.hidden_size, eps=shape.rms_norm_eps)
        self.post_attention_layernorm = nn.RMSNorm(shape.hidden_size, eps=shape.rms_norm_eps)

    def block(self) -> "Block":
        """The block with its parameters as they are now."""
        attention, heads, kv_heads = self.self_attn, self.shape.num_attention_heads, self.shape.num_key_value_heads
        qkv_weight, qkv_bias = (
            torch.cat(
                [
                    interleave_halves(getattr(attention.q_proj, name), heads) * self.shape.head_size**-0.5,
                    interleave_halves(getattr(attention.k_proj, name), kv_heads),
                    getattr(attention.v_proj, name),
                ]
            )
            for name in ("weight", "bias")
        )
        return Block(
            self.shape,
            qkv_weight * self.input_layernorm.weight,
            qkv_bias,
            attention.o_proj.weight,
            self.mlp["gate_proj"].weight * self.post_attention_layernorm.weight,
            self.mlp["up_proj"].weight * self.post_attention_layernorm.weight,
            self.mlp["down_proj"].weight,
        )


@dataclass(frozen=True)
class Block:
    """A transformer block's weights, merged once for many tokens.

    Queries, keys and values are one projection, the queries scaled; what a norm multiplies by is taken up by the
    projections that follow it.
    """

    shape: Shape
    qkv_weight: Tensor
    qkv_bias: Tensor
    output: Tensor
    gate: Tensor
    up: Tensor
    down: Tensor

    def before_attention(self, x: Tensor, turns: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys (both rotated) and values of tokens ``x`` (tokens, hidden): each (tokens, heads, head size)."""
        heads, kv_heads = self.shape.num_attention_heads, self.shape.num_key_value_heads
        qkv = functional.linear(normalise(x, self.shape.rms_norm_eps), self.qkv_weight, self.qkv_bias)
        turned, v = qkv.unflatten(1, (-1, self.shape.head_size)).split([heads + kv_heads, kv_heads], 1)
        return *rotate(turned, turns).split([heads, kv_heads], 1), v

    def after_attention(self, x: Tensor, attended: Tensor) -> Tensor:
        """The block's output from its input ``x`` and the attention's heads ``attended``, both (tokens, hidden)."""
        x = x + functional.linear(attended, self.output)
        inner = normalise(x, self.shape.rms_norm_eps)
        gate = functional.silu(functional.linear(inner, self.gate))
        return x + functional.linear(gate * functional.linear(inner, self.up), self.down)


class TinyQwen2(nn.Module):
    """A Qwen2 decoder with tied input and output embeddings."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.embed_tokens = nn.Embedding(shape.vocab_size, shape.hidden_size)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.num_hidden_layers))
        self.norm = nn.RMSNorm(shape.hidden_size, eps=shape.rms_norm_eps)

    def turns(self, positions: Tensor) -> Tensor:
        """The rotary turns at ``positions`` (tokens,), as complex numbers: (tokens, 1, head size / 2)."""
        half = torch.arange(0, self.shape.head_size, 2, device=positions.device, dtype=torch.float32)
        frequency = 1.0 / self.shape.rope_theta ** (half / self.shape.head_size)
        angles = (positions[:, None].float() * frequency)[:, None]
        return torch.polar(torch.ones_like(angles), angles)

    def logits(self, hidden: Tensor) -> Tensor:
        """Next-token logits (..., vocabulary) of final hidden states (..., hidden)."""
        return functional.linear(hidden, self.embed_tokens.weight)

    def read_prompts(self, tokens: Tensor, mask: Tensor) -> tuple[Tensor, KeysValues]:
        """Read right-padded prompts ``tokens`` (groups, length), ``mask`` True on real tokens.

        Returns the final hidden states (groups, length, hidden), zero on padding, and the keys and values.
        """
        groups, length = tokens.shape
        places = mask.flatten().nonzero().squeeze(1)
        turns = self.turns(places % length)
        x = self.embed_tokens(tokens.flatten()[places])
        bias = self._causal_bias(groups, length, x)
        cached = []
        for layer in self.layers:
            block = layer.block()
            q, k, v = (pad(part, places, groups, length) for part in block.before_attention(x, turns))
            cached.append((k, v))
            x = block.after_attention(x, unpad(attend(q, k, v, bias), places))
        hidden = x.new_zeros(groups * length, self.shape.hidden_size).index_copy(0, places, self.norm(x))
        return hidden.view(groups, length, -1), KeysValues(cached, mask)

    def read(self, prompts: Tensor, prompt_mask: Tensor, responses: Tensor, mask: Tensor) -> Tensor:
        """Final hidden states before each response token, those that predict it: (real tokens, hidden).

        Prompts (groups, length) and responses (groups * n, length), n behind one another for each prompt, are
        right-padded. The order is that of ``batches.flatten``: every response's first token, then all later tokens
        row by row. Prompts and responses go through the layers together; the responses also see their prompt's keys.
        """
        (groups, prompt_length), (rows, length) = prompts.shape, responses.shape
        samples, length = rows // groups, length - 1  # nothing follows a response's last token
        responses, mask = responses[:, :-1], mask[:, 1:]
        lengths = prompt_mask.sum(1)
        in_prompts, in_responses = (part.flatten().nonzero().squeeze(1) for part in (prompt_mask, mask))
        starts = lengths.repeat_interleave(samples)[:, None].expand(rows, length).flatten()[in_responses]
        turns = self.turns(torch.cat([in_prompts % prompt_length, in_responses % max(length, 1) + starts]))
        x = self.embed_tokens(torch.cat([prompts.flatten()[in_prompts], responses.flatten()[in_responses]]))
        causal = self._causal_bias(groups, prompt_length, x)
        bias = response_bias(prompt_mask, samples, length, self._sharing, self.shape.num_key_value_heads)
        parts, wanted = [len(in_prompts), len(in_responses)], in_prompts
        for number, layer in enumerate(self.layers, start=1):
            block = layer.block()
            of_prompts, of_responses = zip(
                *(part.split(parts) for part in block.before_attention(x, turns)), strict=True
            )
            q, *seen = (pad(part, in_prompts, groups, prompt_length) for part in of_prompts)
            if number == len(self.layers):  # above it only the prompts' last tokens count
                last = lengths.cumsum(0) - 1
                x, wanted = torch.cat([take(x[: parts[0]], last), x[parts[0] :]]), in_prompts[last]
            attended = [unpad(attend(q, *seen, causal), wanted)]
            q, *own = (pad(part, in_responses, rows, length) for part in of_responses)
            k, v = (torch.cat([s.repeat_interleave(samples, 0), o], 2) for s, o in zip(seen, own, strict=True))
            attended.append(unpad(attend(q, k, v, bias), in_responses))
            x = block.after_attention(x, torch.cat(attended))
        first, later = self.norm(x).split([groups, len(in_responses)])
        return torch.cat([first.repeat_interleave(samples, 0), later])

    @property
    def _sharing(self) -> int:
        return self.shape.num_attention_heads // self.shape.num_key_value_heads

    def _causal_bias(self, batch: int, length: int, like: Tensor) -> Tensor:
        bias = causal_bias(length, self._sharing, like.device)
        return bias.expand(batch * self.shape.num_key_value_heads, -1, -1)


def save(model: TinyQwen2, directory: Path, like: Path) -> None:
    """Write ``model`` as a Hugging Face directory; all other files (COMPANIONS) are those of ``like``."""
    weights = {f"model.{name}": value.detach().cpu().contiguous() for name, value in model.state_dict().items()}
    with whole_directory(directory) as temporary:
        for name in COMPANIONS:
            shutil.copy(like / name, temporary / name)
        save_file(weights, temporary / "model.safetensors", metadata={"format": "pt"})
        shutil.copymode(temporary / "config.json", temporary / "model.safetensors")  # safetensors: the owner's alone


def load(directory: Path) -> TinyQwen2:
    """Read a model directory. Raises LimrError naming the file when it is missing, truncated or not such a Qwen2."""
    shape = _read_shape(directory / "config.json")
    path = directory / "model.safetensors"
    try:
        stored = load_file(path)
    except (OSError, SafetensorError) as error:
        raise LimrError(f"{path}: cannot be read as safetensors ({error}); make the model again") from error
    model = TinyQwen2(shape)
    weights = {name.removeprefix("model."): value for name, value in stored.items() if name != "lm_head.weight"}
    expected = model.state_dict()
    if wrong := sorted(weights.keys() ^ expected.keys()):
        raise LimrError(f"{path}: tensor {wrong[0]!r} does not fit a Qwen2 of the sizes in config.json; another model?")
    for name, value in weights.items():
        if value.shape != expected[name].shape:
            raise LimrError(
                f"{path}: tensor {name!r} has shape {tuple(value.shape)}, but config.json asks for "
                f"{tuple(expected[name].shape)}: these weights belong to another model"
            )
    model.load_state_dict(weights)
    return model


def _read_shape(path: Path) -> Shape:
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise LimrError(f"{path}: cannot be read as a model configuration ({error})") from error
    if config.get("model_type") != "qwen2" or not config.get("tie_word_embeddings"):
        raise LimrError(
            f"{path}: found model_type {config.get('model_type')!r}, tie_word_embeddings "
            f"{config.get('tie_word_embeddings')!r}; the miniature engine trains a Qwen2 with tied embeddings only"
        )
    rope = config.get("rope_parameters") or {}
    sizes = {name: config[name] for name in Shape.__dataclass_fields__ if name in config}
    required = [field.name for field in fields(Shape) if field.default is MISSING]
    if missing := [name for name in required if name not in sizes]:
        raise LimrError(f"{path}: {missing[0]!r} is missing; the sizes of a Qwen2 are {', '.join(required)}")
    return Shape(**sizes | {"rope_theta": float(rope.get("rope_theta", config.get("rope_theta", 10_000.0)))})
