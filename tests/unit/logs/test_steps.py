"""The steps of a log: missing ones, replayed ones, and those of asynchronous runs and of several processes."""

import pytest
from refusals import refused
from regular_logs import curves, flat, regular
from small_logs import Row, log_of

from limr.logs.findings import FindingKind
from limr.logs.steps import find_steps
from limr.logs.visits import number_visits

PROMPTS = "abcdefghijkl"


def test_a_missing_step_is_refused_with_its_neighbours_and_advice():
    steps = regular()
    with refused(
        where="log/1.jsonl",
        what="step 1 is followed by step 3 (log/2.jsonl), but steps are mostly 1 apart: 1 missing (2)",
        advice="--steps-per-epoch",
    ):
        number_visits(log_of(*steps[:2], *steps[3:]))


def test_a_log_of_every_tenth_step_has_a_stride_of_ten_and_no_missing_steps():
    rows = [(name, 10 * step + 10, reward) for name, step, reward in flat(regular())]
    steps = find_steps(log_of(rows), samples=None)
    assert (steps.stride, steps.missing) == (10, [])


@pytest.mark.parametrize("one_file", [True, False])
def test_only_the_last_attempt_of_a_replayed_step_counts(one_file):
    steps = regular()
    first_try = [[(name, step, 1 - reward) for name, step, reward in rows] for rows in steps[:4]]
    first_try[3] = first_try[3][:3]  # killed in the middle of step 3
    parts = [flat([steps[0], *first_try[1:]]), flat(steps[1:])]
    log = log_of(flat(parts)) if one_file else log_of(*parts)
    visits = number_visits(log)
    assert visits.steps.replayed == [1, 2, 3]
    assert (visits.visit < 0).sum() == 4 + 4 + 3
    assert curves(log) == curves(log_of(*steps))


def test_a_replayed_step_with_other_prompts_leaves_the_old_step_out():
    steps = regular(4)
    again = regular(1, "cdab", first=4)[0]
    log = log_of(flat([*steps[:6], again, *steps[5:]]))
    assert number_visits(log).steps.replayed == [4, 5]
    assert curves(log)["c"][2] == (sum(reward for *_, reward in again[:2]) / 2)


def test_a_run_resumed_with_batches_of_twice_or_half_the_size_replays_its_steps():
    small, large = regular(3, PROMPTS, a_step=2), regular(3, PROMPTS, a_step=4)
    for before, after in ((small, large), (large, small)):
        log = log_of(flat([*before[:5], *after[3:]]))
        assert number_visits(log).steps.replayed == [3, 4]
        assert curves(log) == curves(log_of(*before[:3], *after[3:]))


def test_a_run_that_replayed_most_steps_in_another_order_leaves_the_old_ones_out():
    steps, others = regular(3, PROMPTS, a_step=4), regular(3, PROMPTS[::-1], a_step=4)
    log = log_of(flat([*steps[:6], *others[1:]]))  # steps 0 and 6 to 8 are in the log once
    assert number_visits(log).steps.replayed == [1, 2, 3, 4, 5]
    assert curves(log) == curves(log_of(steps[0], *others[1:]))


def test_a_log_that_ends_before_its_last_step_has_a_finding():
    steps = regular(4)
    (finding,) = find_steps(log_of(flat([*steps, *steps[2:4]])), samples=None).findings
    assert (finding.kind, list(finding.steps)) == (FindingKind.ENDS_BEFORE_LAST_STEP, [3])


def test_the_interleaved_steps_of_an_asynchronous_run_are_kept_whole():
    steps = regular(4)
    rows: list[Row] = []
    for before, after in zip(steps[::2], steps[1::2], strict=True):  # the rollouts of a visit are not adjacent
        rows += [row for pair in zip(before, after, strict=True) for row in pair]
    visits = number_visits(log_of(rows))
    assert not visits.steps.replayed
    assert [finding.kind for finding in visits.steps.findings] == [FindingKind.INTERLEAVED_STEPS]
    assert (visits.visit >= 0).all()
    assert curves(log_of(rows)) == curves(log_of(*steps))


def test_files_that_several_processes_wrote_side_by_side_are_one_log():
    steps = regular(4)
    log = log_of(*[flat([[row for row in rows if row[0] in names] for rows in steps]) for names in ("ac", "bd")])
    assert not number_visits(log).steps.replayed
    assert curves(log) == curves(log_of(*steps))


def test_a_visit_that_is_spread_over_the_files_of_several_processes_needs_its_number_of_samples():
    steps = regular(4, samples=4)
    halves = [flat([rows[half::2] for rows in steps]) for half in (0, 1)]
    with refused(where="log/0.jsonl, log/1.jsonl", what="each begins with step 0", advice="--samples"):
        number_visits(log_of(*halves))
    assert curves(log_of(*halves), samples=4) == curves(log_of(*steps))
    assert number_visits(log_of(*halves), samples=2).steps.replayed, "two runs: the last one counts"
