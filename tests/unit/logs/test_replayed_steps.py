"""Steps done again where batches or their order changed with the resumption, and files of several processes."""

import pytest
from regular_logs import curves, flat, regular
from small_logs import log_of

from limr.errors import LimrError
from limr.logs.visits import number_visits

PROMPTS = "abcdefghijkl"


def test_a_run_resumed_with_batches_of_twice_or_half_the_size_replays_its_steps():
    small, large = regular(3, PROMPTS, a_step=2), regular(3, PROMPTS, a_step=4)
    for before, after in ((small, large), (large, small)):
        log = log_of(flat([*before[:5], *after[3:]]))
        assert number_visits(log).steps.replayed == [3, 4]
        assert curves(log) == curves(log_of(*before[:3], *after[3:]))


def test_a_run_that_did_most_steps_again_in_another_order_leaves_the_old_ones_out():
    steps, others = regular(3, PROMPTS, a_step=4), regular(3, PROMPTS[::-1], a_step=4)
    log = log_of(flat([*steps[:6], *others[1:]]))  # steps 0 and 6 to 8 stand there once
    assert number_visits(log).steps.replayed == [1, 2, 3, 4, 5]
    assert curves(log) == curves(log_of(steps[0], *others[1:]))


def test_a_visit_that_is_spread_over_the_files_of_several_processes_is_asked_about():
    steps = regular(4, samples=4)
    halves = [flat([rows[half::2] for rows in steps]) for half in (0, 1)]
    with pytest.raises(LimrError, match=r"log/0\.jsonl, log/1\.jsonl: each begins with step 0.*--samples"):
        number_visits(log_of(*halves))
    assert curves(log_of(*halves), samples=4) == curves(log_of(*steps))
    assert number_visits(log_of(*halves), samples=2).steps.replayed  # two runs: the last one counts


def test_a_step_that_holds_more_than_others_is_told_and_one_that_was_begun_twice_is_not():
    steps = regular(3, PROMPTS, a_step=2)
    others = [("x", 3, 1.0), ("x", 3, 0.0), *flat(regular(1, "yz", a_step=2, first=3))]
    (note,) = number_visits(log_of(flat([*steps[:3], others[:4], *steps[3:]]))).steps.notes
    assert note.startswith("Steps mostly hold 4 rollouts at most, and more at 3 (8)")
    (note,) = number_visits(log_of(flat([*regular(2, PROMPTS, a_step=4)[:4], *steps[3:]]))).steps.notes
    assert note.startswith("Steps mostly hold 8 rollouts at most, and more at 3 (12)")
    again = number_visits(log_of(flat([*steps[:4], *steps[3:]])))
    assert again.steps.replayed == [3]
    assert not again.steps.notes
