"""Pre-training learns the corpus, uses no held-out prompt, and gives the same bytes for the same seed."""

from itertools import islice

import polars as pl
import pytest
import torch

from limr.files.contracts import read_parquet
from limr.training.miniature import model as tiny
from limr.training.miniature import pretrain as pretraining
from limr.training.miniature import tokenizer as tokens
from limr.training.miniature.batches import flatten, log_probabilities, pad
from limr.training.miniature.corpus import PRACTICE_PROMPT, CorpusMix, corpus
from limr.training.miniature.miniature_settings import PretrainingSettings


def loss(model, examples):
    """Mean negative log-likelihood of the responses and their end, in nats a token."""
    network, tokenizer = tiny.load(model), tokens.load(model)
    prompts = pad(tokens.encode_prompts(tokenizer, [prompt for prompt, _ in examples]))
    responses, mask = pad([tokenizer.encode(response + tokens.END).ids for _, response in examples])
    with torch.no_grad():
        hidden = network.response_states(*prompts, responses, mask)
        return -log_probabilities(network.logits(hidden), flatten(responses, mask)).mean().item()


@pytest.fixture(scope="module")
def examples(world):
    """Examples that no base model of these tests has seen in training: they come from another seed."""
    mix = CorpusMix.of(PretrainingSettings(**world.base_model))
    return list(islice(corpus(world.base_model["seed"] + 1, mix, set()), 200))


def test_more_steps_give_a_better_model_than_fewer_steps_and_than_chance(world, examples, tmp_path):
    pretraining.pretrain(world.base_model | {"steps": 1}, [], tmp_path / "one")
    pretraining.pretrain(world.base_model | {"steps": 120}, [], tmp_path / "many")
    one, some, many = (loss(path, examples) for path in (tmp_path / "one", world.model, tmp_path / "many"))
    chance = torch.tensor(float(tokens.build().get_vocab_size())).log().item()
    assert many < some < one
    assert many < chance / 2


def test_the_same_seed_gives_the_same_bytes_and_another_seed_gives_others(world, tmp_path):
    again, other = world.base_model | {"steps": 5}, world.base_model | {"steps": 5, "seed": 99}
    for name, settings in (("first", again), ("second", again), ("other", other)):
        pretraining.pretrain(settings, [world.development], tmp_path / name)
    files = {
        name: {p.name: p.read_bytes() for p in (tmp_path / name).iterdir()} for name in ("first", "second", "other")
    }
    assert files["first"] == files["second"]
    assert files["first"]["model.safetensors"] != files["other"]["model.safetensors"]
    assert files["first"]["tokenizer.json"] == files["other"]["tokenizer.json"]


def test_no_held_out_prompt_is_trained_on_with_or_without_guidance(world, tmp_path, monkeypatch):
    """The held-out prompts are prompts that the same pre-training uses when nothing is held out."""
    read = []

    def recorded(*args, **options):
        for prompt, response in corpus(*args, **options):
            read.append(prompt.removeprefix(tokens.GUIDE))
            yield prompt, response

    monkeypatch.setattr(pretraining, "corpus", recorded)
    pretraining.pretrain(world.base_model | {"steps": 3}, [], tmp_path / "before")
    seen, table = set(read) - {PRACTICE_PROMPT}, read_parquet(world.development, "prompts")
    held_out = sorted(seen)[: len(table)]
    path = tmp_path / "held_out.parquet"
    table.with_columns(prompt=pl.Series(held_out)).write_parquet(path)
    read.clear()
    pretraining.pretrain(world.base_model | {"steps": 3}, [path, world.development], tmp_path / "after")
    assert read
    assert not set(read) & set(held_out)
    assert not set(read) & set(table["prompt"])
