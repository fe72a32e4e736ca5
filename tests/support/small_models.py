"""Small random models, and the same weights in transformers' own architecture."""

from dataclasses import asdict

import torch
from transformers import Qwen2Config, Qwen2ForCausalLM

from limr.training.miniature import model as tiny

SIZES = [  # hidden size, layers, heads, key-value heads
    (32, 2, 4, 4),
    (32, 2, 4, 2),
    (24, 1, 3, 1),
    (16, 3, 1, 1),
]


PROMPTS = [[3, 1, 4, 1, 5], [9], [2, 6, 5]]


def random_model(hidden=32, layers=2, heads=4, kv_heads=2, vocabulary=11, seed=0):
    """A model with random parameters, also in norms and biases. They are large enough for peaked attention."""
    torch.manual_seed(seed)
    model = tiny.TinyQwen2(tiny.Shape(vocabulary, hidden, 2 * hidden, layers, heads, kv_heads, rope_theta=500.0))
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, mean=parameter.dim() == 1, std=0.4)
    return model


def transformers_twin(model):
    """A Qwen2ForCausalLM with the weights of ``model``."""
    sizes = asdict(model.shape)
    theta = sizes.pop("rope_theta")
    twin = Qwen2ForCausalLM(
        Qwen2Config(**sizes, tie_word_embeddings=True, rope_parameters={"rope_type": "default", "rope_theta": theta})
    )
    weights = {f"model.{name}": value for name, value in model.state_dict().items()}
    result = twin.load_state_dict(weights, strict=False)
    assert result.missing_keys in ([], ["lm_head.weight"]) and not result.unexpected_keys
    return twin.eval()
