"""A Qwen2 small enough for two CPU cores. It computes what transformers' Qwen2ForCausalLM computes, but faster for PPO.

A group is one prompt with its n responses. The prompt is computed once for all n responses, which attend to its keys
and values. Dense layers run on real tokens only, never on padding.
The weights have the names of Qwen2ForCausalLM. So transformers and vLLM can load a directory that ``save`` wrote, and
``load`` reads a directory that transformers wrote.
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

from limr.errors import LimrError, shown
from limr.files.atomic import whole_directory
from limr.training.miniature.operations import (
    attend,
    causal_bias,
    interleave_halves,
    pad_heads,
    response_bias,
    rms_normalise,
    rotate,
    take,
    unpad_heads,
)

COMPANIONS = ("config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json")
"""The files of a model directory other than the weights."""


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
    """Keys and values of prompts, one pair for each layer, and which of them are real.

    ``layers[l]``: two tensors (groups, key-value heads, prompt length, head size). ``mask``: (groups, prompt length),
    True on real tokens. ``lengths``: (groups,), the number of real tokens.
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
        """The block with its current parameters, merged for speed; gradients flow back to the parameters."""
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

    Queries, keys and values are one projection, which also scales the queries. The weight of each norm is multiplied
    into the projections that follow it.
    """

    shape: Shape
    qkv_weight: Tensor
    qkv_bias: Tensor
    output: Tensor
    gate: Tensor
    up: Tensor
    down: Tensor

    def before_attention(self, x: Tensor, rotary: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys (both rotated) and values of tokens ``x`` (tokens, hidden): each (tokens, heads, head size).

        ``rotary``: the rotary factors of the tokens' positions.
        """
        heads, kv_heads = self.shape.num_attention_heads, self.shape.num_key_value_heads
        qkv = functional.linear(rms_normalise(x, self.shape.rms_norm_eps), self.qkv_weight, self.qkv_bias)
        qk, v = qkv.unflatten(1, (-1, self.shape.head_size)).split([heads + kv_heads, kv_heads], 1)
        return *rotate(qk, rotary).split([heads, kv_heads], 1), v

    def after_attention(self, x: Tensor, attended: Tensor) -> Tensor:
        """The block's output (tokens, hidden), from its input ``x`` and the attention's output, of the same shape."""
        x = x + functional.linear(attended, self.output)
        inner = rms_normalise(x, self.shape.rms_norm_eps)
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

    def rotary_factors(self, positions: Tensor) -> Tensor:
        """The rotary factors at ``positions`` (tokens,), as complex numbers: (tokens, 1, head size / 2)."""
        half = torch.arange(0, self.shape.head_size, 2, device=positions.device, dtype=torch.float32)
        frequency = 1.0 / self.shape.rope_theta ** (half / self.shape.head_size)
        angles = (positions[:, None].float() * frequency)[:, None]
        return torch.polar(torch.ones_like(angles), angles)

    def logits(self, hidden: Tensor) -> Tensor:
        """Next-token logits (..., vocabulary) of final hidden states (..., hidden)."""
        return functional.linear(hidden, self.embed_tokens.weight)

    def prompt_states(self, tokens: Tensor, mask: Tensor) -> tuple[Tensor, KeysValues]:
        """Final hidden states (groups, length, hidden) of right-padded prompts, zero on padding; and keys and values.

        ``tokens``: (groups, length). ``mask``: the same shape, True on real tokens.
        """
        groups, length = tokens.shape
        indices = mask.flatten().nonzero().squeeze(1)  # of the real tokens in the flattened batch
        rotary = self.rotary_factors(indices % length)
        x = self.embed_tokens(tokens.flatten()[indices])
        bias = self._causal_bias(groups, length, x)
        cached = []
        for layer in self.layers:
            block = layer.block()
            q, k, v = (pad_heads(part, indices, groups, length) for part in block.before_attention(x, rotary))
            cached.append((k, v))
            x = block.after_attention(x, unpad_heads(attend(q, k, v, bias), indices))
        hidden = x.new_zeros(groups * length, self.shape.hidden_size).index_copy(0, indices, self.norm(x))
        return hidden.view(groups, length, -1), KeysValues(cached, mask)

    def response_states(self, prompts: Tensor, prompt_mask: Tensor, responses: Tensor, mask: Tensor) -> Tensor:
        """The final hidden states that predict each response token: (real tokens, hidden).

        ``prompts``: (groups, length). ``responses``: (groups * n, length), the n responses to a prompt one after
        another. Both are right-padded, with masks of their shape. The order of the result is that of
        ``batches.flatten``: first the first token of every response, then all later tokens row by row.

        Prompts and responses go through the layers together; the responses also attend to their prompt's keys.
        """
        (groups, prompt_length), (rows, length) = prompts.shape, responses.shape
        # A response's last token predicts nothing, so the responses are one token shorter here. Their first token is
        # predicted by the prompt's last one.
        samples, length = rows // groups, length - 1
        responses, mask = responses[:, :-1], mask[:, 1:]
        lengths = prompt_mask.sum(1)
        # indices of the real tokens in the flattened batches; a response's positions begin where its prompt ends
        in_prompts, in_responses = (part.flatten().nonzero().squeeze(1) for part in (prompt_mask, mask))
        starts = lengths.repeat_interleave(samples)[:, None].expand(rows, length).flatten()[in_responses]
        rotary = self.rotary_factors(torch.cat([in_prompts % prompt_length, in_responses % max(length, 1) + starts]))
        x = self.embed_tokens(torch.cat([prompts.flatten()[in_prompts], responses.flatten()[in_responses]]))
        causal = self._causal_bias(groups, prompt_length, x)
        bias = response_bias(prompt_mask, samples, length, self._sharing, self.shape.num_key_value_heads)
        parts, wanted = [len(in_prompts), len(in_responses)], in_prompts  # wanted: prompt tokens still needed
        for number, layer in enumerate(self.layers, start=1):
            block = layer.block()
            of_prompts, of_responses = zip(
                *(part.split(parts) for part in block.before_attention(x, rotary)), strict=True
            )
            q, *seen = (pad_heads(part, in_prompts, groups, prompt_length) for part in of_prompts)
            if number == len(self.layers):  # after the last layer, only the prompts' last tokens predict anything
                last = lengths.cumsum(0) - 1
                x, wanted = torch.cat([take(x[: parts[0]], last), x[parts[0] :]]), in_prompts[last]
            attended = [unpad_heads(attend(q, *seen, causal), wanted)]
            q, *own = (pad_heads(part, in_responses, rows, length) for part in of_responses)
            # keys and values of a response: its prompt's, then its own
            k, v = (torch.cat([s.repeat_interleave(samples, 0), o], 2) for s, o in zip(seen, own, strict=True))
            attended.append(unpad_heads(attend(q, k, v, bias), in_responses))
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
    """Write ``model`` as a Hugging Face directory, with the other files (COMPANIONS) of the directory ``like``."""
    weights = {f"model.{name}": value.detach().cpu().contiguous() for name, value in model.state_dict().items()}
    with whole_directory(directory) as temporary:
        for name in COMPANIONS:
            shutil.copy(like / name, temporary / name)
        save_file(weights, temporary / "model.safetensors", metadata={"format": "pt"})
        # safetensors makes a file that only its owner can read
        shutil.copymode(temporary / "config.json", temporary / "model.safetensors")


def load(directory: Path) -> TinyQwen2:
    """Load a model directory. Raises LimrError when a file is missing, truncated, or of another kind of model."""
    shape = _read_shape(directory / "config.json")
    path = directory / "model.safetensors"
    try:
        stored = load_file(path)
    except (OSError, SafetensorError) as error:
        raise LimrError(
            f"cannot be read as safetensors ({error})", where=path, advice="Make the model again."
        ) from error
    model = TinyQwen2(shape)
    weights = {name.removeprefix("model."): value for name, value in stored.items() if name != "lm_head.weight"}
    expected = model.state_dict()
    if wrong := sorted(weights.keys() ^ expected.keys()):
        raise LimrError(
            f"{'unknown' if wrong[0] in weights else 'missing'} tensor",
            where=(path, f"tensor {wrong[0]!r}"),
            expected="the tensors of a Qwen2 with the sizes in config.json",
            advice="The weights belong to another model: make the model again.",
        )
    for name, value in weights.items():
        if value.shape != expected[name].shape:
            raise LimrError(
                where=(path, f"tensor {name!r}"),
                found=f"shape {tuple(value.shape)}",
                expected=f"{tuple(expected[name].shape)}, from config.json",
                advice="The weights belong to another model: make the model again.",
            )
    model.load_state_dict(weights)
    return model


def _read_shape(path: Path) -> Shape:
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise LimrError(
            f"cannot be read as a model configuration ({error})", where=path, advice="Make the model again."
        ) from error
    for key, expected in (("model_type", "qwen2"), ("tie_word_embeddings", True)):
        if config.get(key) != expected:
            raise LimrError(
                where=(path, f"key {key!r}"),
                found=shown(config.get(key)),
                expected=shown(expected),
                advice="The miniature engine trains a Qwen2 with tied embeddings only.",
            )
    rope = config.get("rope_parameters") or {}
    sizes = {name: config[name] for name in Shape.__dataclass_fields__ if name in config}
    required = [field.name for field in fields(Shape) if field.default is MISSING]
    if missing := [name for name in required if name not in sizes]:
        raise LimrError(f"no key {missing[0]!r}", where=path, expected=", ".join(required))
    return Shape(**sizes | {"rope_theta": float(rope.get("rope_theta", config.get("rope_theta", 10_000.0)))})
