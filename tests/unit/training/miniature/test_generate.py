"""Sampling: the right distribution, correct statistics, and rows that do not depend on each other."""

import pytest
import torch
from small_models import PROMPTS, SIZES, random_model, transformers_twin

from limr.training.miniature.batches import flatten, log_probabilities, pad, unflatten
from limr.training.miniature.generate import generate

END, LENGTH, SAMPLES = 7, 9, 6


def sampled(model, prompts=PROMPTS, samples=SAMPLES, length=LENGTH, temperature=1.0, uniforms="seeded", end=END):
    if isinstance(uniforms, str):
        uniforms = torch.rand(len(prompts) * samples, length, generator=torch.Generator().manual_seed(3))
    return generate(model, *pad(prompts), samples, length, temperature, end, uniforms)


@pytest.fixture(params=SIZES, ids=str)
def model(request):
    return random_model(*request.param).requires_grad_(False)


@pytest.mark.parametrize("temperature", [0.7, 1.0, 1.2])
def test_statistics_equal_those_of_a_separate_forward_pass(model, temperature):
    responses = sampled(model, temperature=temperature)
    hidden = model.response_states(*pad(PROMPTS), responses.tokens, responses.mask)
    logits = model.logits(hidden) / temperature
    fresh = unflatten(log_probabilities(logits, flatten(responses.tokens, responses.mask)), responses.mask)
    distribution = logits.softmax(-1)
    entropies = unflatten(-(distribution * distribution.log()).nansum(-1), responses.mask)
    torch.testing.assert_close(responses.log_probabilities * responses.mask, fresh, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(responses.entropies * responses.mask, entropies, rtol=1e-4, atol=1e-4)


def test_greedy_equals_transformers_token_for_token(model):
    twin = transformers_twin(model)
    responses = sampled(model, samples=1, uniforms=None)
    for row, prompt in enumerate(PROMPTS):
        theirs = twin.generate(
            torch.tensor([prompt]),
            attention_mask=torch.ones(1, len(prompt), dtype=torch.long),
            do_sample=False,
            max_new_tokens=LENGTH,
            eos_token_id=END,
            pad_token_id=0,
        )
        assert responses.tokens[row][responses.mask[row]].tolist() == theirs[0, len(prompt) :].tolist()


def test_a_response_does_not_depend_on_the_other_rows(model):
    uniforms = torch.rand(len(PROMPTS) * SAMPLES, LENGTH, generator=torch.Generator().manual_seed(5))
    together = sampled(model, uniforms=uniforms)
    for group, prompt in enumerate(PROMPTS):
        for sample in range(SAMPLES):
            row = group * SAMPLES + sample
            alone = sampled(model, [prompt], samples=1, uniforms=uniforms[row : row + 1])
            assert torch.equal(alone.tokens[0][alone.mask[0]], together.tokens[row][together.mask[row]])
            assert bool(alone.truncated[0]) is bool(together.truncated[row])


def test_no_token_follows_the_end_token_and_only_responses_without_one_are_truncated(model):
    responses = sampled(model, samples=40)
    ended = 0
    for tokens, mask, truncated in zip(responses.tokens, responses.mask, responses.truncated, strict=True):
        real = tokens[mask].tolist()
        assert mask.tolist() == [True] * len(real) + [False] * (LENGTH - len(real))
        assert (tokens[~mask] == 0).all()
        assert END not in real[:-1]
        assert bool(truncated) is (real[-1] != END)
        assert len(real) == LENGTH or not truncated
        ended += not truncated
    assert 0 < ended < len(responses.tokens)  # both kinds occur


def test_a_response_with_its_end_token_in_the_last_place_is_not_truncated():
    model = random_model().requires_grad_(False)
    responses = sampled(model, samples=200, length=2)
    last = responses.tokens[:, 1][responses.mask[:, 1]] == END
    assert last.any()
    assert not responses.truncated[responses.mask[:, 1]][last].any()


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_evenly_spread_random_numbers_give_each_token_its_probability(temperature):
    model, rows = random_model(vocabulary=6).requires_grad_(False), 5000
    uniforms = ((torch.arange(rows) + 0.5) / rows)[:, None]
    responses = sampled(model, [PROMPTS[0]], rows, 1, temperature, uniforms)
    hidden, _ = model.prompt_states(*pad([PROMPTS[0]]))
    expected = (model.logits(hidden[0, -1]) / temperature).softmax(-1) * rows
    found = torch.bincount(responses.tokens[:, 0], minlength=6)
    assert (found - expected).abs().max() <= 1.0 + 1e-2


@pytest.mark.parametrize("temperature", [0.5, 1.2])
def test_sampled_frequencies_of_two_tokens_match_the_softmax(temperature):
    model, rows, vocabulary = random_model(vocabulary=5).requires_grad_(False), 8000, 5
    prompt = [3, 1, 4]
    responses = sampled(model, [prompt], rows, 2, temperature, end=vocabulary)  # an end token that does not exist
    first = responses.tokens[:, 0]
    pairs = torch.bincount(first * vocabulary + responses.tokens[:, 1], minlength=vocabulary**2)
    prompts, mask = pad([[*prompt, token] for token in range(vocabulary)])
    hidden, _ = model.prompt_states(prompts, mask)
    second = (model.logits(hidden[:, -1]) / temperature).softmax(-1)
    joint = (model.logits(hidden[0, -2]) / temperature).softmax(-1)[:, None] * second
    expected = joint.flatten() * rows
    enough = expected > 5
    chi_square = ((pairs - expected) ** 2 / expected)[enough].sum()
    degrees = int(enough.sum())
    assert degrees > 5
    assert chi_square < degrees + 4 * (2 * degrees) ** 0.5


def test_the_same_random_numbers_give_the_same_responses():
    model = random_model().requires_grad_(False)
    first, again = sampled(model), sampled(model)
    other = sampled(model, uniforms=torch.rand(len(PROMPTS) * SAMPLES, LENGTH))
    assert torch.equal(first.tokens, again.tokens)
    assert not torch.equal(first.tokens, other.tokens)
