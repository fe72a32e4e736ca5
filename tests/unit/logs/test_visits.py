"""The visit of each rollout: consecutive visits, epochs and gaps. LIM on these visits equals LIM in plain Python."""

import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from refusals import refused
from regular_logs import curves, flat, regular
from small_logs import Row, group, log_of

from limr.errors import LimrError
from limr.logs.visits import number_visits, trajectories_of_log
from limr.selection.method import Pool, run_method
from limr.trajectories import visit_matrix


def test_a_visit_is_the_index_of_a_prompts_group_of_samples():
    log = log_of(group("a", 1, 0, 1) + group("b", 1, 0, 0), group("b", 2, 1, 1) + group("a", 2, 1, 1))
    assert curves(log) == {"a": [0.5, 1.0], "b": [0.0, 1.0]}
    visits = number_visits(log)
    assert visits.visit.tolist() == [0, 0, 0, 0, 1, 1, 1, 1]
    assert visits.sample.tolist() == [0, 1] * 4
    assert visits.samples == 2


def test_a_prompt_with_two_groups_in_a_step_has_two_visits_in_the_order_of_the_rows():
    log = log_of(
        flat(
            [[*group("a", s, 0, 0), *group("a", s, 1, 1), *group("b", s, 0, 1), *group("c", s, 0, 0)] for s in range(2)]
        )
    )
    assert curves(log)["a"] == [0.0, 1.0, 0.0, 1.0]
    assert len(number_visits(log).duplicate) == 2


def test_a_partial_visit_keeps_its_place_and_does_not_count():
    log = log_of(flat(regular())[1:])  # the first rollout of a is lost
    trajectories = trajectories_of_log(log, number_visits(log))
    assert trajectories.n_samples[(trajectories.prompt == 0)].tolist() == [1, 2, 2]
    assert np.isnan(visit_matrix(trajectories).values[0]).tolist() == [True, False, False]


def test_a_group_that_is_not_a_multiple_of_the_samples_is_refused():
    steps = regular()
    steps[4] = [*group("a", 4, 1, 1, 1), *group("b", 4, 0)]
    with refused(
        where=("log/4.jsonl", "line 1", "prompt a"),
        found="3 rollouts at step 4",
        expected="2, the samples of a visit, or a multiple",
        advice="--samples",
    ):
        number_visits(log_of(*steps))


def test_with_steps_per_epoch_visits_of_a_missing_step_are_missing_and_later_ones_keep_their_place():
    steps = regular()
    whole, with_gap = log_of(*steps), log_of(*steps[:2], *steps[3:])
    expected = curves(whole)
    assert curves(whole, steps_per_epoch=2) == expected
    assert curves(with_gap, steps_per_epoch=2) == expected | {
        name: [expected[name][0], None, expected[name][2]] for name in "ab"
    }


@pytest.mark.parametrize("first", [0, 1])
def test_epochs_begin_at_step_0_or_1_even_where_the_first_step_is_lost(first):
    order = ["abcdef", "fbdace", "cfeadb"]
    steps = [rows for epoch, names in enumerate(order) for rows in regular(1, names, first=first + 3 * epoch)]
    expected = curves(log_of(*steps), steps_per_epoch=3)
    assert all(len(curve) == 3 for curve in expected.values())
    lost = curves(log_of(*steps[1:]), steps_per_epoch=3)
    assert lost == {name: [None, *curve[1:]] if name in "ab" else curve for name, curve in expected.items()}


def test_steps_per_epoch_that_does_not_fit_is_refused():
    with refused(what="with 4 steps an epoch, 33% of the visits are of a prompt that was met", advice="does not fit"):
        number_visits(log_of(*regular()), steps_per_epoch=4)
    with refused(what="no steps to count epochs by", advice="--steps-per-epoch"):
        number_visits(log_of(group("a", None, 1, 1)), steps_per_epoch=4)


def test_a_prompt_met_twice_in_an_epoch_is_one_visit_of_all_its_samples():
    steps = regular(4, "abcdefghijklmnopqrstuvwxyz")
    steps[4] = steps[4] + group("a", 4, 1, 1)
    visits = number_visits(log_of(*steps), steps_per_epoch=13)
    assert len(visits.merged) == 1
    assert (visits.visit[visits.merged], visits.samples) == (0, 2)
    alone = curves(log_of(*regular(4, "abcdefghijklmnopqrstuvwxyz")), steps_per_epoch=13)["a"]
    assert curves(log_of(*steps), steps_per_epoch=13)["a"] == [(alone[0] * 2 + 2) / 4, *alone[1:]]


def test_without_steps_a_visit_is_a_run_of_consecutive_rollouts():
    rows = [(name, None, reward) for name, _, reward in flat(regular())]
    assert curves(log_of(rows)) == curves(log_of(*regular()))
    assert number_visits(log_of(rows)).steps is None
    assert number_visits(log_of(group("a", None, *[1.0] * 6)), samples=2).visit.tolist() == [0, 0, 1, 1, 2, 2]


def test_a_number_of_samples_or_steps_that_does_not_fit_is_refused():
    with refused(where="samples", found="8", expected="2, the most common number", what="most visits have fewer"):
        number_visits(log_of(*regular()), samples=8)
    with refused(where="samples", found="0", expected="at least 1"):
        number_visits(log_of(*regular()), samples=0)
    with refused(where="steps_per_epoch", found="0", expected="at least 1"):
        number_visits(log_of(*regular()), steps_per_epoch=0)
    with refused(found="no rollouts"):
        number_visits(log_of([]))


def test_one_prompt_may_have_many_more_visits_than_the_others():
    log = log_of(regular(1, "ab")[0])
    often = np.arange(10_000)
    columns = {name: np.concatenate([getattr(log, name), np.ones(10_000)]) for name in ("reward", "correct")}
    log = replace(
        log,
        **columns,
        prompts=[replace(log.prompts[0], prompt_id=f"{row:05}") for row in range(10_000)],
        prompt=np.concatenate([log.prompt, np.repeat(often[2:5002], 2)]),
        step=np.concatenate([log.step, often // 2]),
        place=np.arange(10_004),
        file=np.zeros(10_004, np.int32),
    )
    log = replace(log, prompt=np.where(log.place % 3 == 0, 7, log.prompt))
    log = replace(log, step=log.place)
    trajectories = trajectories_of_log(log, number_visits(log, samples=1))
    assert len(trajectories) == 10_004
    assert trajectories.epoch.max() == (log.prompt == 7).sum() - 1


@settings(max_examples=60)
@given(st.data())
def test_lim_on_a_log_equals_lim_in_plain_python(data):
    """Random runs: random order in each epoch, last batch dropped, steps lost or replayed, rows and files shuffled."""
    generator = random.Random(data.draw(st.integers(0, 10**9)))
    samples, a_step = data.draw(st.sampled_from([2, 3, 8])), data.draw(st.integers(2, 4))
    names = [f"p{number:02}" for number in range(data.draw(st.integers(2 * a_step, 24)))]
    epochs, an_epoch = data.draw(st.integers(2, 5)), len(names) // a_step
    by_epoch = data.draw(st.booleans())
    met: dict[tuple[str, int], list[float]] = {}
    steps: list[list[Row]] = []
    for epoch in range(epochs):
        order = generator.sample(names, len(names))
        for start in range(0, an_epoch * a_step, a_step):
            rows = []
            for name in order[start : start + a_step]:
                met[name, epoch] = [generator.choice([1.0, -0.5, -1.0, 0.1]) for _ in range(samples)]
                rows += group(name, len(steps), *met[name, epoch])
            steps.append(rows)
    if by_epoch:
        for lost in generator.sample(range(1, len(steps)), data.draw(st.integers(0, 1))):
            for name in {name for name, *_ in steps[lost]}:
                del met[name, lost // an_epoch]
            steps[lost] = []
    for rows in steps:
        generator.shuffle(rows)
    back, end = sorted(generator.sample(range(len(steps)), 2))
    stale = [[(name, step, -reward) for name, step, reward in rows] for rows in steps[back:end]]
    written = flat(steps[:back] + stale) + flat(steps[back:]) if data.draw(st.booleans()) else flat(steps)
    log = log_of(written)
    if not by_epoch:  # visits are counted one after another for each prompt
        visited = {name: [met[name, epoch] for epoch in range(epochs) if (name, epoch) in met] for name in names}
        met = {(name, visit): rewards for name, curve in visited.items() for visit, rewards in enumerate(curve)}
    trajectories = trajectories_of_log(log, number_visits(log, samples, an_epoch if by_epoch else None))
    expected = plain_lim({key: sum(rewards) / samples for key, rewards in met.items()}, trajectories.prompt_ids)
    if expected is None:
        with pytest.raises(LimrError):
            run_method("lim", Pool(trajectories.prompt_ids, trajectories, 0), {})
    else:
        found = run_method("lim", Pool(trajectories.prompt_ids, trajectories, 0), {})
        assert found.scores == pytest.approx(expected, abs=1e-12)


def plain_lim(points: dict[tuple[str, int], float], names: list[str]) -> dict[str, float] | None:
    """LIM by the paper's formula, over the prompts that have every visit that nine in ten have; None without any."""
    shared = [
        visit
        for visit in {visit for _, visit in points}
        if sum((name, visit) in points for name in names) >= 0.9 * len(names)
    ]
    visits = range(max(shared) + 1) if shared else ()
    whole = [name for name in names if visits and all((name, visit) in points for visit in visits)]
    if not whole:
        return None
    mean = [sum(points[name, visit] for name in whole) / len(whole) for visit in visits]
    below = sum((1 - value) ** 2 for value in mean)
    return {name: 1 - sum((points[name, visit] - mean[visit]) ** 2 for visit in visits) / below for name in whole}


@settings(max_examples=30)
@given(st.integers(0, 10**9))
def test_the_order_of_rows_within_a_step_and_of_files_does_not_matter(seed):
    generator = random.Random(seed)
    steps = regular(4, "abcdefgh")
    shuffled = [generator.sample(rows, len(rows)) for rows in steps]
    cuts = sorted(generator.sample(range(len(flat(steps))), 2))
    rows = flat(shuffled)
    files = [rows[: cuts[0]], rows[cuts[0] : cuts[1]], rows[cuts[1] :]]
    assert curves(log_of(*files)) == curves(log_of(*steps))
    of_process = [[row for row in rows if row[0] in names] for names in generator.sample(["adg", "beh", "cf"], 3)]
    assert curves(log_of(*of_process)) == curves(log_of(*steps))


def test_a_dropped_last_batch_leaves_gaps_as_in_the_papers_run_and_next_fills_single_ones():
    """The paper's run at a fiftieth of its size: 8,523 prompts, 8 steps of 1,024 an epoch, 331 left over, 21 epochs."""
    generator = random.Random(0)
    names = [f"p{number:03}" for number in range(170)]
    met: dict[str, set[int]] = {name: set() for name in names}
    steps: list[list[Row]] = []
    for epoch in range(21):
        order = generator.sample(names, len(names))
        for start in range(0, 160, 20):  # the last ten are left out
            steps.append(
                [row for name in order[start : start + 20] for row in group(name, len(steps), epoch / 20, 0.5)]
            )
        for name in order[:160]:
            met[name].add(epoch)
    log = log_of(*steps)
    matrix = visit_matrix(trajectories_of_log(log, number_visits(log, steps_per_epoch=8)))
    assert matrix.values.shape == (170, 21)
    seen = {
        name: {visit for visit in range(21) if not np.isnan(row[visit])}
        for name, row in zip(names, matrix.values, strict=True)
    }
    assert seen == met
    filled, dropped = matrix.without_gaps("next")
    unfilled = [name for name in names if any(e not in met[name] and e + 1 not in met[name] for e in range(21))]
    assert sorted(dropped) == unfilled
    assert 0 < len(unfilled) < len(matrix.without_gaps("drop")[1])
    row = filled.values[filled.prompt_ids.index(next(n for n in names if 3 not in met[n] and n not in unfilled))]
    assert row[3] == row[4] == pytest.approx((4 / 20 + 0.5) / 2)
    ordinal = trajectories_of_log(log, number_visits(log))
    counted = np.bincount(ordinal.prompt)
    assert counted.tolist() == [len(met[name]) for name in names], (
        "without steps_per_epoch, visits are counted for each prompt"
    )


def test_a_prompt_that_a_replay_leaves_out_stays_without_a_visit():
    steps = regular(4)
    log = log_of(flat([*steps[:3], *regular(1, "zy", first=3), *steps[2:]]))  # step 3 is replayed without y and z
    assert number_visits(log).steps.replayed == [2, 3]
    assert curves(log) == curves(log_of(*steps)) | {"y": [], "z": []}
