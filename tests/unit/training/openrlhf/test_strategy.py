"""OpenRLHF's strategy, corrected: rows come in order, and rotary frequencies are exact after ZeRO-3."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, LlamaConfig, Qwen2Config

from limr.training.openrlhf.strategy import with_exact_rotations, with_rows_in_order

SIZES = {"vocab_size": 50, "hidden_size": 256, "intermediate_size": 32, "num_hidden_layers": 2,
         "num_attention_heads": 2, "num_key_value_heads": 1, "max_position_embeddings": 4096}  # fmt: skip
KINDS = [Qwen2Config(**SIZES, rope_theta=10000.0), Qwen2Config(**SIZES, rope_theta=1e6), LlamaConfig(**SIZES)]


class Strategy:
    """A stand-in for OpenRLHF's strategy that keeps the models it gets."""

    def prepare(self, *models: Any) -> list[torch.Tensor]:
        self.given = models
        return [frequencies(model[0] if isinstance(model, tuple) else model).clone() for model in models]


@pytest.fixture
def lowered(monkeypatch: pytest.MonkeyPatch) -> Callable:
    """Make a model as within ``deepspeed.zero.Init``, where ``torch.arange`` returns bf16."""
    arange = torch.arange

    def of_zero_init(*arguments: Any, **named: Any) -> torch.Tensor:
        numbers = arange(*arguments, **named)
        return numbers.to(torch.bfloat16) if numbers.is_floating_point() else numbers

    def make(config: Any) -> torch.nn.Module:
        with monkeypatch.context() as patch:
            patch.setattr(torch, "arange", of_zero_init)
            model = AutoModelForCausalLM.from_config(config)
        for module in model.modules():  # for every way in which transformers may compute them
            if hasattr(module, "inv_freq"):
                module.inv_freq = module.inv_freq.to(torch.bfloat16)
        return model

    return make


def frequencies(model: torch.nn.Module) -> torch.Tensor:
    return model.model.rotary_emb.inv_freq


@pytest.mark.parametrize("config", KINDS, ids=["qwen2", "qwen2_base_1e6", "llama"])
def test_a_prepared_model_has_the_frequencies_that_it_has_without_zero_3(config: Any, lowered: Callable) -> None:
    exact = frequencies(AutoModelForCausalLM.from_config(config))
    model = lowered(config)
    assert not torch.equal(frequencies(model).float(), exact)
    strategy = with_exact_rotations(Strategy)()
    trained, frozen = strategy.prepare((model, {"optim": "adam"}), lowered(config))
    for found in (trained, frozen):
        assert found.dtype == torch.float32
        assert torch.equal(found, exact)
    assert strategy.given[0] == (model, {"optim": "adam"})  # passed on unchanged


def test_a_prepared_model_computes_the_exact_logits_at_distant_positions(lowered: Callable) -> None:
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


def test_rows_come_in_order_although_openrlhf_requests_shuffling() -> None:
    class Loading:
        def __init__(self, seed: int) -> None:
            self.seed = seed

        def setup_dataloader(self, rows, batch_size, pin_memory=False, shuffle=True, collate_fn=None, **others):
            return self.seed, rows, batch_size, pin_memory, shuffle, collate_fn, others

    strategy = with_rows_in_order(Loading)(3)
    # called as in prepare_datasets of OpenRLHF's ppo_trainer.py
    assert strategy.setup_dataloader("rows", 1, True, True, "collate", num_workers=0) == (
        3, "rows", 1, True, False, "collate", {"num_workers": 0}
    )  # fmt: skip
