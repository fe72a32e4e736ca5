"""Engine `transformers`: responses depend on the model, the prompts and the seed alone."""

import pytest
import torch
from tiny_model import END, SPECIAL, VOCABULARY

from limr.evaluation.generation import generate
from limr.evaluation.responses import Sampling
from limr.models.checkpoint import load_checkpoint


def test_the_draws_of_a_batch_do_not_depend_on_the_length_of_earlier_responses(tiny_model):
    """Otherwise two methods would have the same draws in their first batch only."""
    model, tokenizer = load_checkpoint(tiny_model)
    one_prompt_per_batch = Sampling(2, 1.0, 1.0, 40, 2, seed=5)
    lengths, seconds = [], []
    for number in range(100, 110):  # the longer prompt is the first batch
        first, second = generate(model, tokenizer, [f"1+{number}=?", "7=?"], one_prompt_per_batch, "test")
        lengths.append(max(response.tokens for response in first))
        seconds.append(second)
    assert len(set(lengths)) > 1, "responses of one length prove nothing"
    assert all(responses == seconds[0] for responses in seconds)


def test_every_batch_has_different_draws(constant_model):
    model, tokenizer = load_checkpoint(constant_model(0.001))
    responses = generate(model, tokenizer, ["7=?"] * 3, Sampling(1, 1.0, 1.0, 12, 1, seed=0), "test")
    assert len({response.text for (response,) in responses}) == 3


def test_greedy_generation_is_the_argmax_of_the_model(tiny_model):
    """Against the definition: append the likeliest token of a full forward pass until the end token."""
    model, tokenizer = load_checkpoint(tiny_model)
    prompts = ["7=?", "1+1+12=?", "3+4=?"]
    responses = generate(model, tokenizer, prompts, Sampling(1, 0.0, 0.95, 12, 8, seed=0), "test")
    for prompt, (response,) in zip(prompts, responses, strict=True):
        ids = [VOCABULARY.index(token) for token in ["<user>", *prompt, "<assistant>"]]
        new = []
        while len(new) < 12 and END not in new:
            with torch.no_grad():
                new.append(int(model(torch.tensor([ids + new])).logits[0, -1].argmax()))
        text = "".join(VOCABULARY[token] for token in new if VOCABULARY[token] not in SPECIAL)
        assert (response.text, response.tokens, response.truncated) == (text, len(new), END not in new)


def test_only_top_p_limits_the_sampled_tokens(constant_model):
    """By default, transformers samples from the 50 likeliest tokens, even if top_p would allow more."""
    model, tokenizer = load_checkpoint(constant_model(0.001))  # nearly equal: exact ties would pass any limit by rank
    for top_p, share in ((1.0, 1.0), (0.5, 0.5)):
        sampling = Sampling(2000, 1.0, top_p, 1, 2000, seed=0)
        (responses,) = generate(model, tokenizer, ["7=?"], sampling, "test")
        seen = {response.text for response in responses}
        assert len(seen) == pytest.approx(share * len(VOCABULARY), abs=len(SPECIAL) + 1)
