"""The schedule of training has complete shuffled passes, and any step can be computed alone."""

from collections import defaultdict

import torch
from hypothesis import given
from hypothesis import strategies as st

from limr.training.schedule import checkpoint_uniforms, step_generator, step_prompts, step_uniforms

PROMPTS, PER_STEP, SEEDS = st.integers(1, 40), st.integers(1, 50), st.integers(0, 1000)


@given(PROMPTS, PER_STEP, SEEDS)
def test_every_visit_is_a_permutation_of_all_prompts_and_visits_follow_without_a_gap(prompts, per_step, seed):
    visits, stream = defaultdict(list), []
    for step in range(-(-3 * prompts // per_step)):  # three complete passes
        indices, numbers = step_prompts(prompts, per_step, step, seed)
        assert len(indices) == len(numbers) == per_step
        stream += numbers
        for index, visit in zip(indices, numbers, strict=True):
            visits[visit].append(index)
    assert stream == [position // prompts for position in range(len(stream))]
    for visit in range(3):
        assert sorted(visits[visit]) == list(range(prompts))


@given(PROMPTS, PER_STEP, SEEDS, st.integers(1, 5))
def test_a_step_computed_alone_equals_its_part_of_the_whole_sequence(prompts, per_step, seed, parts):
    whole = step_prompts(prompts, per_step * parts, 0, seed)
    for step in range(parts):
        alone = step_prompts(prompts, per_step, step, seed)
        span = slice(step * per_step, (step + 1) * per_step)
        assert alone == (whole[0][span], whole[1][span])


def test_passes_and_seeds_are_shuffled_differently():
    first, second = (step_prompts(100, 100, step, seed=0)[0] for step in (0, 1))
    other = step_prompts(100, 100, 0, seed=1)[0]
    assert first != second
    assert first != other
    assert first != list(range(100))


def test_random_numbers_depend_on_step_and_seed_and_not_on_the_global_generator():
    draws = {}
    for seed in (0, 1):
        for step in (0, 1):
            torch.manual_seed(seed * 10 + step)
            draws[seed, step] = step_uniforms(3, 4, step, seed)
            torch.manual_seed(99)
            assert torch.equal(draws[seed, step], step_uniforms(3, 4, step, seed))
            order = torch.randperm(50, generator=step_generator(step, seed))
            assert torch.equal(order, torch.randperm(50, generator=step_generator(step, seed)))
    values = torch.cat([draw.flatten() for draw in draws.values()])
    assert len(values.unique()) == len(values)
    assert values.min() >= 0 and values.max() < 1


def test_samples_from_checkpoints_have_random_numbers_of_their_own():
    drawn = [checkpoint_uniforms(3, 4, step, seed) for seed in (0, 1) for step in (0, 1, 8)]
    drawn += [step_uniforms(3, 4, step, seed) for seed in (0, 1) for step in (0, 1, 8)]
    values = torch.cat([draw.flatten() for draw in drawn])
    assert len(values.unique()) == len(values)
    assert torch.equal(checkpoint_uniforms(3, 4, 8, 1), checkpoint_uniforms(3, 4, 8, 1))
