"""A Qwen2 small enough for two CPU cores: what transformers' Qwen2ForCausalLM computes, written for PPO's shapes.

A group is one prompt with its n responses. The prompt is computed once for all n (``read_prompts``), and the responses
attend to its keys and values (``read_responses``). Dense layers run on real tokens only, never on padding.
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

from limr.artifacts import whole_directory
from limr.errors import LimrError

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
    """Keys and values of the prompts a batch of responses attends to, one pair a layer, and which of them are real.

    ``layers[l]``: two tensors (groups, key-value heads, prompt length, head size). ``mask``: (groups, prompt length),
    True on real tokens. ``lengths``: (groups,), real tokens.
    """

    def __init__(self, layers: list[tuple[Tensor, Tensor]], mask: Tensor) -> None:
        self.layers = layers
        self.mask = mask
        self.lengths = mask.sum(1)


class Attention(nn.Module):
    """Grouped-query attention with rotary positions; projections as in Qwen2."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        kv_size = shape.num_key_value_heads * shape.head_size
        self.shape = shape
        self.q_proj = nn.Linear(shape.hidden_size, shape.hidden_size)
        self.k_proj = nn.Linear(shape.hidden_size, kv_size)
        self.v_proj = nn.Linear(shape.hidden_size, kv_size)
        self.o_proj = nn.Linear(shape.hidden_size, shape.hidden_size, bias=False)

    def project(self, x: Tensor, cosine: Tensor, sine: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys (both rotated) and values of tokens ``x`` (tokens, hidden): each (tokens, heads, head size)."""
        weight = torch.cat([self.q_proj.weight, self.k_proj.weight, self.v_proj.weight])
        bias = torch.cat([self.q_proj.bias, self.k_proj.bias, self.v_proj.bias])
        heads, kv_heads = self.shape.num_attention_heads, self.shape.num_key_value_heads
        qkv = functional.linear(x, weight, bias).view(len(x), heads + 2 * kv_heads, self.shape.head_size)
        rotated = _rotate(qkv[:, : heads + kv_heads], cosine, sine)
        return rotated[:, :heads], rotated[:, heads:], qkv[:, heads + kv_heads :]


class Layer(nn.Module):
    """One transformer block."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
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

    def after_attention(self, x: Tensor, attended: Tensor) -> Tensor:
        """The block's output from its input ``x`` and the attention's heads ``attended``, both (tokens, hidden)."""
        x = x + self.self_attn.o_proj(attended)
        inner = self.post_attention_layernorm(x)
        gate = functional.silu(self.mlp["gate_proj"](inner))
        return x + self.mlp["down_proj"](gate * self.mlp["up_proj"](inner))


class TinyQwen2(nn.Module):
    """A Qwen2 decoder with tied input and output embeddings."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.embed_tokens = nn.Embedding(shape.vocab_size, shape.hidden_size)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.num_hidden_layers))
        self.norm = nn.RMSNorm(shape.hidden_size, eps=shape.rms_norm_eps)

    def positions(self, positions: Tensor) -> tuple[Tensor, Tensor]:
        """Cosine and sine of the rotary angles at ``positions`` (tokens,): each (tokens, 1, head size)."""
        half = torch.arange(0, self.shape.head_size, 2, device=positions.device, dtype=torch.float32)
        frequency = 1.0 / self.shape.rope_theta ** (half / self.shape.head_size)
        angles = positions[:, None].float() * frequency
        angles = torch.cat([angles, angles], dim=-1)[:, None]
        return angles.cos(), angles.sin()

    def logits(self, hidden: Tensor) -> Tensor:
        """Next-token logits (..., vocabulary) of final hidden states (..., hidden)."""
        return functional.linear(hidden, self.embed_tokens.weight)

    def read_prompts(self, tokens: Tensor, mask: Tensor) -> tuple[Tensor, KeysValues]:
        """Read right-padded prompts ``tokens`` (groups, length), ``mask`` True on real tokens.

        Returns the final hidden states (groups, length, hidden), zero on padding, and the keys and values.
        """
        groups, length = tokens.shape
        real = mask.flatten().nonzero().squeeze(1)
        cosine, sine = self.positions(real % length)
        x = self.embed_tokens(tokens.flatten()[real])
        allowed = _causal(length, x).expand(groups, 1, -1, -1)
        cached = []
        for layer in self.layers:
            q, k, v = (
                _scatter(part, real, groups, length)
                for part in layer.self_attn.project(layer.input_layernorm(x), cosine, sine)
            )
            cached.append((k, v))
            x = layer.after_attention(x, _gather(_attend(q, k, v, allowed), real))
        hidden = x.new_zeros(groups * length, self.shape.hidden_size).index_copy(0, real, self.norm(x))
        return hidden.view(groups, length, -1), KeysValues(cached, mask)

    def read_responses(self, tokens: Tensor, mask: Tensor, prompts: KeysValues) -> Tensor:
        """Read right-padded responses ``tokens`` (groups * n, length), n behind one another for each prompt.

        Returns the final hidden states of the real tokens, row by row: (real tokens, hidden).
        """
        batch, length = tokens.shape
        samples = batch // len(prompts.lengths)
        real = mask.flatten().nonzero().squeeze(1)
        starts = prompts.lengths.repeat_interleave(samples)
        cosine, sine = self.positions(real % length + starts[real // length])
        x = self.embed_tokens(tokens.flatten()[real])
        allowed = _response_bias(prompts.mask, samples, length, x)
        for layer, (prompt_k, prompt_v) in zip(self.layers, prompts.layers, strict=True):
            q, k, v = (
                _scatter(part, real, batch, length)
                for part in layer.self_attn.project(layer.input_layernorm(x), cosine, sine)
            )
            k = torch.cat([prompt_k.repeat_interleave(samples, 0), k], dim=2)
            v = torch.cat([prompt_v.repeat_interleave(samples, 0), v], dim=2)
            x = layer.after_attention(x, _gather(_attend(q, k, v, allowed), real))
        return self.norm(x)

    def read(self, prompts: Tensor, prompt_mask: Tensor, responses: Tensor, mask: Tensor) -> Tensor:
        """Final hidden states before each response token, those that predict it: (real tokens, hidden).

        Prompts (groups, length) and responses (groups * n, length) are right-padded. The order is that of
        ``batches.flatten``: every response's first token, then all later tokens row by row.
        """
        hidden, keys_values = self.read_prompts(prompts, prompt_mask)
        groups = torch.arange(len(prompts), device=prompts.device)
        first = hidden[groups, keys_values.lengths - 1].repeat_interleave(len(responses) // len(prompts), 0)
        if responses.shape[1] == 1:
            return first
        later = self.read_responses(responses[:, :-1], mask[:, 1:], keys_values)
        return torch.cat([first, later])


def _rotate(x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    half = x.shape[-1] // 2
    turned = torch.cat([-x[..., half:], x[..., :half]], dim=-1)
    return x * cosine + turned * sine


def _scatter(part: Tensor, real: Tensor, batch: int, length: int) -> Tensor:
    """(real tokens, heads, head size) to (batch, heads, length, head size), zero on padding."""
    _, heads, size = part.shape
    padded = part.new_zeros(batch * length, heads, size).index_copy(0, real, part)
    return padded.view(batch, length, heads, size).transpose(1, 2)


def _gather(attended: Tensor, real: Tensor) -> Tensor:
    """(batch, heads, length, head size) to (real tokens, hidden)."""
    return attended.transpose(1, 2).flatten(0, 1).flatten(1)[real]


def _attend(q: Tensor, k: Tensor, v: Tensor, bias: Tensor) -> Tensor:
    """Attention of q (batch, heads, length, head size) over k and v (batch, key-value heads, keys, head size).

    ``bias`` (batch, 1, length, keys) is 0 where a query sees a key. The query heads that share a key-value head stand
    one after another as queries of one attention: fewer and larger matrix products.
    """
    batch, heads, length, size = q.shape
    sharing = heads // k.shape[1]
    folded = q.reshape(batch, -1, sharing * length, size)
    attended = functional.scaled_dot_product_attention(folded, k, v, attn_mask=bias.repeat(1, 1, sharing, 1))
    return attended.view(batch, heads, length, size)


def _causal(length: int, like: Tensor) -> Tensor:
    """0 where a position sees another one, minus infinity where it does not: (length, length)."""
    return like.new_full((length, length), float("-inf")).triu(1)


def _response_bias(prompt_mask: Tensor, samples: int, length: int, like: Tensor) -> Tensor:
    """``_causal`` for responses that also see their prompt's tokens: (groups * n, 1, length, prompt + length)."""
    batch = len(prompt_mask) * samples
    hidden = like.new_zeros(prompt_mask.shape).masked_fill(~prompt_mask, float("-inf"))
    prompt = hidden.repeat_interleave(samples, 0)[:, None].expand(batch, length, -1)
    return torch.cat([prompt, _causal(length, like).expand(batch, -1, -1)], dim=2)[:, None]


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
