"""The audit of a log: its numbers, and each finding with the prompts and steps that it is about."""

import numpy as np
import pytest
from small_logs import Row, group, log_of

from limr.errors import Words
from limr.logs.audit_page import Audit
from limr.logs.findings import Finding, FindingKind
from limr.logs.log_audit import audit_log, audit_trajectories
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


def without(rows: list[Row], prompt: str) -> list[Row]:
    return [row for row in rows if row[0] != prompt]


def find(audit: Audit, kind: FindingKind) -> Finding:
    """The one finding of that kind."""
    (finding,) = [finding for finding in audit.findings if finding.kind is kind]
    return finding


def kinds(audit: Audit) -> list[FindingKind]:
    return [finding.kind for finding in audit.findings]


def test_a_complete_run_has_its_numbers_and_no_findings():
    audit = audit_of(*run())
    assert (audit.prompts, audit.rollouts, audit.files) == (20, 240, 3)
    assert (audit.visits_of_prompt, audit.samples_of_visit) == ((3, 3, 3), (4, 4, 4))
    assert (audit.visits, audit.whole, audit.missing, audit.partial, audit.duplicate) == (3, 20, 0, 0, 0)
    assert audit.kinds_of_reward == [-1.0, -0.5, 1.0]
    assert audit.accuracy == "known"
    assert not audit.findings


def test_missing_partial_and_duplicate_visits_are_counted_and_named():
    steps = run(prompts=40)
    steps[1] = without(steps[1], "p07")  # missing
    steps[2] = steps[2][1:]  # partial: the first rollout of p00
    steps[0] = without(steps[0], "p17") + group("p18", 0, 1, 1, 1, 1)  # missing, and duplicate
    audit = audit_of(*steps)
    assert (audit.partial, audit.duplicate) == (1, 1)
    partial = find(audit, FindingKind.PARTIAL_VISITS)
    assert (partial.number, list(partial.examples)) == (1, ["prompt p00 at step 2"])
    assert "fewer than 4 samples: 1 (prompt p00 at step 2). They count as missing." in partial.render()
    assert list(find(audit, FindingKind.DUPLICATE_VISITS).examples) == ["prompt p18 at step 0"]
    assert audit.dropped == {"1 of the 3 visits missing": 3}
    assert audit.dropped_named == {"1 of the 3 visits missing": ["p00", "p07", "p17"]}
    assert (audit.whole, audit.missing) == (37, 3)
    gaps = find(audit, FindingKind.INCOMPLETE_CURVES)
    assert (gaps.number, list(gaps.examples)) == (3, ["p00", "p07", "p17"])


def test_groups_of_one_epoch_are_merged_and_named():
    steps = run(prompts=40, epochs=4)
    steps[1] += group("p03", 1, *[1.0] * 4)
    steps = [[(name, 2 * step, reward) for name, step, reward in rows] for rows in steps]
    steps[2] = [(name, 5 if name == "p05" and place % 4 < 2 else step, reward)
                for place, (name, step, reward) in enumerate(steps[2])]  # fmt: skip
    audit = audit_of([row for rows in steps for row in sorted(rows, key=lambda row: row[1])], steps_per_epoch=2)
    assert list(find(audit, FindingKind.MERGED_VISITS).examples) == ["prompt p05 at step 4"]
    assert list(find(audit, FindingKind.DUPLICATE_VISITS).examples) == ["prompt p03 at step 2"]
    assert audit.merged == 1


def test_the_audit_counts_the_prompts_that_missing_next_would_keep():
    steps = run(epochs=4)
    steps[1] = without(steps[1], "p07")
    steps[3] = without(steps[3], "p08")
    audit = audit_of(*steps, steps_per_epoch=1)
    assert (audit.whole, audit.whole_with_next) == (18, 19)


def test_replayed_and_missing_steps_are_findings_with_their_steps():
    steps = run(epochs=6)
    audit = audit_of([row for step in (0, 1, 2, 3, 2, 3, 4, 5) for row in steps[step]])
    replayed = find(audit, FindingKind.REPLAYED_STEPS)
    assert audit.replayed_steps == list(replayed.steps) == [2, 3]
    assert (audit.not_used, audit.rollouts) == (160, 480)
    assert "2, 3. The last attempt counts; 160 rollouts are not used." in replayed.render()
    lost = audit_of(*steps[:2], *steps[3:], steps_per_epoch=1)
    assert lost.missing_steps == list(find(lost, FindingKind.MISSING_STEPS).steps) == [2]


@pytest.mark.parametrize(
    ("rewards", "sentence"),
    [
        ((2.0, 0.0), "Rewards go up to 2, but LIM takes 1 as the reward of a solved prompt. Set "),
        ((0.9, 0.0), "Rewards never reach 1, which LIM takes as the reward of a solved prompt; the highest is 0.9."),
    ],
)
def test_a_highest_reward_other_than_1_is_the_first_finding(rewards, sentence):
    first = audit_of(*run(rewards=rewards)).findings[0]
    assert first.kind is FindingKind.REWARD_OF_SOLVED
    assert first.render().startswith(sentence)
    assert f"`options: {{best_reward: {rewards[0]:g}}}`" in first.render()
    assert f"`--option best_reward={rewards[0]:g}`" in first.render(Words.COMMAND_LINE)
    assert "`--option signal=accuracy`" in first.render(Words.COMMAND_LINE)


def test_a_reward_of_1_for_a_solved_prompt_is_no_finding():
    assert not audit_of(*run(rewards=(1.0, -1.0))).findings


def test_rewards_are_judged_by_rollouts_in_a_log_and_by_visits_without_one():
    steps = run(rewards=(1.0, 0.0))  # no visit has a mean reward of 1
    assert FindingKind.REWARD_OF_SOLVED not in kinds(audit_of(*steps))
    log = log_of(*steps)
    means = trajectories_of_log(log, number_visits(log))
    finding = find(audit_trajectories("x", "a test", 1, means), FindingKind.REWARD_OF_SOLVED)
    assert finding.render().startswith("Mean rewards of visits never reach 1")
    high = Trajectories.from_curves(rewards={"a": [0.5, 2.0], "b": [0.0, 1.0]})
    audit = audit_trajectories("x", "a test", 1, high)
    assert audit.findings[0].render().startswith("Mean rewards of visits go up to 2")
    assert (audit.rewards, audit.means) == ((0.0, 2.0), True)


def test_unknown_accuracies_many_rewards_and_a_stride_of_steps_are_reported():
    steps = [[(name, 10 * step, reward + 0.01 * step) for name, step, reward in rows] for rows in run(epochs=4)]
    audit = audit_of(*steps, correct=False)
    assert audit.accuracy == "not known"
    assert audit.kinds_of_reward is None
    assert audit.rewards == pytest.approx((-1, 1.03))
    assert find(audit, FindingKind.STRIDE).number == 10


def test_one_prompt_one_visit_and_no_steps_are_findings():
    assert FindingKind.ONE_PROMPT in kinds(audit_of(*run(prompts=1)))
    assert FindingKind.ONE_VISIT in kinds(audit_of(*run(epochs=1)))
    assert FindingKind.NO_STEPS in kinds(audit_of([(name, None, reward) for name, _, reward in run()[0]]))


def test_trajectories_that_cannot_be_scored_are_a_finding_and_no_crash():
    nothing = Trajectories(["a"], *np.zeros((2, 1), int), *np.full((2, 1), np.nan), np.ones(1, int))
    assert kinds(audit_trajectories("x", "a test", 1, nothing)) == [FindingKind.NOTHING_TO_SCORE]
    late = Trajectories(["a", "b"], np.array([0, 1]), np.array([1, 2]), np.ones(2), np.ones(2), np.ones(2, int))
    (finding,) = audit_trajectories("x", "y", 1, late).findings
    assert finding.kind is FindingKind.NOTHING_TO_SCORE
    assert finding.cause.where == ("trajectories",)
    assert finding.render(Words.COMMAND_LINE).startswith("Nothing can be scored: trajectories: no visit was completed")
    assert "`--steps-per-epoch`" in finding.render(Words.COMMAND_LINE)


def test_a_log_in_which_no_visit_has_equal_rewards_is_a_finding():
    mixed = [[row for name in range(50) for row in group(f"p{name:02}", epoch, 1.0, 0.0)] for epoch in range(2)]
    assert FindingKind.NO_UNIFORM_GROUP in kinds(audit_of(*mixed))
    mixed[0][:2] = group("p00", 0, 0.0, 0.0)
    assert FindingKind.NO_UNIFORM_GROUP not in kinds(audit_of(*mixed))
    one_sample = [[row for name in range(50) for row in group(f"p{name:02}", epoch, 1.0)] for epoch in range(2)]
    assert FindingKind.NO_UNIFORM_GROUP not in kinds(audit_of(*one_sample))


def test_prompts_that_epochs_left_out_are_a_reason_to_count_by_epochs():
    steps = run(epochs=4)
    for epoch in (1, 2):
        steps[epoch] = without(steps[epoch], "p07")
    uneven = find(audit_of(*steps), FindingKind.UNEVEN_VISITS)
    assert uneven.render(Words.COMMAND_LINE).startswith("Prompts have 2 to 4 visits.")
    assert "`--steps-per-epoch`" in uneven.render(Words.COMMAND_LINE)
    by_epoch = audit_of(*steps, steps_per_epoch=1)
    assert FindingKind.UNEVEN_VISITS not in kinds(by_epoch)
    gaps = find(by_epoch, FindingKind.INCOMPLETE_CURVES).render()
    assert "All prompts have the first 1: `visits: 1` keeps every prompt." in gaps


def batches(epochs: int, *sizes: int) -> list[list[Row]]:
    """A run in which every epoch has steps of these numbers of prompts."""
    steps: list[list[Row]] = []
    for _ in range(epochs):
        names = [f"p{number:02}" for number in range(sum(sizes))]
        for size in sizes:
            steps.append([row for name in names[:size] for row in group(name, len(steps), 1.0, -1.0)])
            names = names[size:]
    return steps


def test_a_step_that_lacks_prompts_is_a_finding_unless_every_epoch_has_one():
    steps = batches(5, 4, 4, 4)
    assert FindingKind.SHORT_STEPS not in kinds(audit_of(*steps))
    steps[7] = steps[7][:4]  # two of its four prompts: a file that was cut after a whole row
    short = find(audit_of(*steps), FindingKind.SHORT_STEPS)
    assert list(short.steps) == [7]
    assert short.render(Words.COMMAND_LINE).startswith("Steps mostly have 4 prompts, but these have fewer: 7.")
    assert FindingKind.SHORT_STEPS not in kinds(audit_of(*steps, steps_per_epoch=3))
    unfinished = [*batches(5, 4, 4, 4)[:-1], steps[-1][:4]]
    last_batches = batches(4, 4, 4, 4, 4, 4, 2)
    for regular in (unfinished, last_batches, last_batches[:-1], last_batches[:-2]):
        assert FindingKind.SHORT_STEPS not in kinds(audit_of(*regular))
