"""Rotary positions: what ZeRO-3 does to their frequencies while a model is made, undone before it trains."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, LlamaConfig, Qwen2Config

from limr.training.openrlhf.rotations import with_exact_rotations

SIZES = {"vocab_size": 50, "hidden_size": 256, "intermediate_size": 32, "num_hidden_layers": 2,
         "num_attention_heads": 2, "num_key_value_heads": 1, "max_position_embeddings": 4096}  # fmt: skip
KINDS = [Qwen2Config(**SIZES, rope_theta=10000.0), Qwen2Config(**SIZES, rope_theta=1e6), LlamaConfig(**SIZES)]


class Strategy:
    """Stands in for OpenRLHF's: notes what it is given."""

    def prepare(self, *models: Any) -> list[torch.Tensor]:
        self.given = models
        return [frequencies(model[0] if isinstance(model, tuple) else model).clone() for model in models]


@pytest.fixture
def lowered(monkeypatch: pytest.MonkeyPatch) -> Callable:
    """Make a model as within ``deepspeed.zero.Init``: there ``torch.arange`` gives no float32."""
    arange = torch.arange

    def of_zero_init(*arguments: Any, **named: Any) -> torch.Tensor:
        numbers = arange(*arguments, **named)
        return numbers.to(torch.bfloat16) if numbers.is_floating_point() else numbers

    def make(config: Any) -> torch.nn.Module:
        with monkeypatch.context() as patch:
            patch.setattr(torch, "arange", of_zero_init)
            model = AutoModelForCausalLM.from_config(config)
        for module in model.modules():  # whichever way this release of transformers computes them
            if hasattr(module, "inv_freq"):
                module.inv_freq = module.inv_freq.to(torch.bfloat16)
        return model

    return make


def frequencies(model: torch.nn.Module) -> torch.Tensor:
    return model.model.rotary_emb.inv_freq


@pytest.mark.parametrize("config", KINDS, ids=["qwen2", "qwen2_base_1e6", "llama"])
def test_a_model_is_prepared_with_the_frequencies_that_it_has_without_zero_3(config: Any, lowered: Callable) -> None:
    exact = frequencies(AutoModelForCausalLM.from_config(config))
    model = lowered(config)
    assert not torch.equal(frequencies(model).float(), exact)
    strategy = with_exact_rotations(Strategy)()
    trained, frozen = strategy.prepare((model, {"optim": "adam"}), lowered(config))
    for found in (trained, frozen):
        assert found.dtype == torch.float32
        assert torch.equal(found, exact)
    assert strategy.given[0] == (model, {"optim": "adam"})  # handed on as they came


def test_the_model_computes_again_what_it_did_far_from_the_beginning(lowered: Callable) -> None:
    torch.manual_seed(0)
    exact = AutoModelForCausalLM.from_config(KINDS[0]).eval()
    model = lowered(KINDS[0]).eval()
    model.load_state_dict(exact.state_dict())
    tokens, positions = torch.randint(0, 50, (1, 20)), torch.arange(0, 4000, 200)[None]
    with torch.no_grad():
        expected = exact(tokens, position_ids=positions).logits
        assert (model(tokens, position_ids=positions).logits - expected).abs().max() > 1e-4
        with_exact_rotations(Strategy)().prepare(model)
        assert torch.equal(model(tokens, position_ids=positions).logits, expected)
