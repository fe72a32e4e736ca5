"""The audit of a log: what it counts, what it tells a person to look at, and that nothing of it is left out."""

import json

import numpy as np
import pytest
from small_logs import Row, group, log_of

from limr.logs.log_audit import Audit, audit_log, audit_trajectories
from limr.logs.visits import number_visits, trajectories_of_log
from limr.trajectories import Trajectories


def audit_of(*files: list[Row], correct: bool = True, **options) -> Audit:
    log = log_of(*files, correct=correct)
    visits = number_visits(log, **options)
    return audit_log("runs/mine", log, visits, trajectories_of_log(log, visits))


def run(prompts: int = 20, epochs: int = 3, rewards: tuple[float, ...] = (1.0, -0.5, -1.0, 1.0)) -> list[list[Row]]:
    """One step an epoch that holds all prompts."""
    return [
        [row for name in range(prompts) for row in group(f"p{name:02}", epoch, *rewards)] for epoch in range(epochs)
    ]


def checks(audit: Audit) -> str:
    return "\n".join(audit.checks)


def test_a_whole_run_has_its_numbers_and_nothing_to_look_at():
    audit = audit_of(*run())
    assert (audit.prompts, audit.rollouts, audit.files) == (20, 240, 3)
    assert (audit.visits_of_prompt, audit.samples_of_visit) == ((3, 3, 3), (4, 4, 4))
    assert (audit.visits, audit.whole, audit.missing, audit.partial, audit.doubled) == (3, 20, 0, 0, 0)
    assert audit.kinds_of_reward == [-1.0, -0.5, 1.0]
    assert audit.accuracy == "known"
    assert not audit.checks
    assert "Nothing to look at" in audit.markdown()


def test_missing_partial_and_doubled_visits_are_counted_and_named():
    steps = run(prompts=40)
    steps[1] = [row for row in steps[1] if row[0] != "p07"]  # missing
    steps[2] = steps[2][1:]  # partial: the first rollout of p00
    steps[0] = [row for row in steps[0] if row[0] != "p17"] + group("p18", 0, 1, 1, 1, 1)  # missing, and doubled
    audit = audit_of(*steps)
    assert (audit.partial, audit.doubled) == (1, 1)
    assert "1 visits have fewer than 4 samples, and count as none (prompt p00 at step 2)" in checks(audit)
    assert "(prompt p18 at step 0)" in checks(audit)
    assert audit.dropped == {"1 of the 3 visits missing": 3}
    assert audit.dropped_named == {"1 of the 3 visits missing": ["p00", "p07", "p17"]}
    assert (audit.whole, audit.missing) == (37, 3)
    assert "| 1 of the 3 visits missing | 3 | p00, p07, p17 |" in audit.markdown()


def test_the_audit_says_whom_filling_from_the_next_visit_would_save():
    steps = run(epochs=4)
    steps[1] = [row for row in steps[1] if row[0] != "p07"]
    steps[3] = [row for row in steps[3] if row[0] != "p08"]
    audit = audit_of(*steps, steps_per_epoch=1)
    assert (audit.whole, audit.whole_with_next) == (18, 19)
    assert "1 of them have one" in audit.markdown()


def test_replayed_and_missing_steps_are_named_and_what_is_not_used_is_counted():
    steps = run(epochs=6)
    audit = audit_of([row for step in (0, 1, 2, 3, 2, 3, 4, 5) for row in steps[step]])
    assert audit.replayed_steps == [2, 3]
    assert (audit.not_used, audit.rollouts) == (160, 480)
    assert "Steps were done again by a resumed run: 2, 3. The last time counts; 160 rollouts are not used." in checks(
        audit
    )
    lost = audit_of(*steps[:2], *steps[3:], steps_per_epoch=1)
    assert lost.missing_steps == [2]
    assert "Steps are missing: 2." in checks(lost)


@pytest.mark.parametrize(
    ("rewards", "said"),
    [
        ((2.0, 0.0), "A reward is up to 2, and LIM takes 1 for that of a solved prompt"),
        ((0.9, 0.0), "A reward is 0.9 at best and never 1, which LIM takes for that of a solved prompt"),
        ((1.0, -1.0), None),
    ],
)
def test_the_audit_says_first_where_no_reward_is_that_of_a_solved_prompt(rewards, said):
    audit = audit_of(*run(rewards=rewards))
    if said is None:
        assert not audit.checks
    else:
        assert audit.checks[0].startswith(said)
        assert "best_reward" in audit.checks[0]


def test_unknown_accuracies_many_rewards_and_strange_strides_are_said():
    steps = [[(name, 10 * step, reward + 0.01 * step) for name, step, reward in rows] for rows in run(epochs=4)]
    audit = audit_of(*steps, correct=False)
    assert audit.accuracy == "not known"
    assert audit.kinds_of_reward is None
    assert "Steps go by 10." in checks(audit)
    assert "| rewards | -1 to 1.03 |" in audit.markdown()


def test_one_prompt_one_visit_and_no_steps_are_said():
    assert "One prompt only" in checks(audit_of(*run(prompts=1)))
    assert "One visit only" in checks(audit_of(*run(epochs=1)))
    assert "no steps" in checks(audit_of([(name, None, reward) for name, _, reward in run()[0]]))


def test_what_cannot_be_scored_at_all_is_said_and_is_no_crash():
    nothing = Trajectories(["a"], *np.zeros((2, 1), int), *np.full((2, 1), np.nan), np.ones(1, int))
    assert "nothing can be scored" in checks(audit_trajectories("x", "a test", 1, nothing))
    late = Trajectories(["a", "b"], np.array([0, 1]), np.array([1, 2]), np.zeros(2), np.zeros(2), np.ones(2, int))
    assert "Nothing can be scored: trajectories: no visit was completed" in checks(
        audit_trajectories("x", "y", 1, late)
    )


def test_the_means_of_visits_tell_of_rewards_where_only_they_are_known():
    audit = audit_trajectories("x", "a test", 1, Trajectories.from_curves(rewards={"a": [0.5, 2.0], "b": [0.0, 1.0]}))
    assert audit.checks[0].startswith("A visit's mean reward is up to 2")
    assert "0 to 2 (means of visits)" in audit.markdown()


def test_both_files_are_written_and_the_json_has_every_number(tmp_path):
    audit = audit_of(*run(), *[])
    audit.left_out["log/notes.csv"] = "in no known format"
    audit.write(tmp_path / "scores")
    assert (tmp_path / "scores.audit.md").read_text() == audit.markdown()
    assert "- log/notes.csv: in no known format" in audit.markdown()
    found = json.loads((tmp_path / "scores.audit.json").read_text())
    assert found["prompts"] == 20
    assert found["left_out"] == audit.left_out


def test_the_summary_is_a_few_lines():
    lines = audit_of(*run(rewards=(2.0, 0.0))).summary()
    assert lines[0] == "a test: 20 prompts, 3 visits each, 2 samples a visit, 120 rollouts"
    assert lines[1] == "visits that count: the first 3, which 20 of 20 prompts have"
    assert lines[2].startswith("check: A reward is up to 2")


def test_a_log_that_lacks_groups_without_spread_is_told_so():
    mixed = [[row for name in range(50) for row in group(f"p{name:02}", epoch, 1.0, 0.0)] for epoch in range(2)]
    assert "In no visit did all samples earn the same" in checks(audit_of(*mixed))
    mixed[0][:2] = group("p00", 0, 0.0, 0.0)
    assert "all samples" not in checks(audit_of(*mixed))
    one_sample = [[row for name in range(50) for row in group(f"p{name:02}", epoch, 1.0)] for epoch in range(2)]
    assert "all samples" not in checks(audit_of(*one_sample))


def test_prompts_that_epochs_left_out_are_a_reason_to_count_by_epochs():
    steps = run(epochs=4)
    for epoch in (1, 2):
        steps[epoch] = [row for row in steps[epoch] if row[0] != "p07"]
    assert "Prompts have 2 to 4 visits. Where training left a prompt out" in checks(audit_of(*steps))
    by_epoch = audit_of(*steps, steps_per_epoch=1)
    assert "left a prompt out" not in checks(by_epoch)
    assert "All have the first 1: `visits` of 1 would keep them all." in checks(by_epoch)
