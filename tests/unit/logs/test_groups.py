"""Groups of rollouts: steps that a killed run began and replayed, and steps with more rollouts than others."""

from refusals import refused
from regular_logs import curves, flat, regular
from small_logs import group, log_of

from limr.logs.findings import FindingKind
from limr.logs.groups import group_by_position
from limr.logs.visits import number_visits

PROMPTS = "abcdefghijkl"


def test_a_group_without_steps_ends_with_the_prompt_and_with_the_file():
    log = log_of(group("a", None, 1, 0) + group("b", None, 1) + group("a", None, 1), group("a", None, 0))
    groups = group_by_position(log)
    assert groups.prompt.tolist() == [0, 0, 0, 1]
    assert groups.counts.tolist() == [2, 1, 1, 1]
    assert groups.rows.tolist() == [0, 1, 3, 4, 2]


def test_a_step_that_was_begun_twice_keeps_the_last_samples_of_each_prompt():
    steps = regular(4)
    begun = [(name, step, 1 - reward) for name, step, reward in steps[3][:3]]
    log = log_of(flat([*steps[:3], begun, *steps[3:]]))
    found = number_visits(log).steps
    assert found.replayed == [3]
    assert not found.findings
    assert curves(log) == curves(log_of(*steps))


def test_a_copy_of_a_step_in_another_file_is_refused():
    steps = regular(4)
    with refused(
        where=("log/3.jsonl, log/4.jsonl", "step 3"),
        found="8 rollouts, and 2 prompts with more than the 2 samples of a visit",
        expected="as many as in other steps",
    ):
        number_visits(log_of(*steps[:4], *steps[3:]))


def test_a_step_with_more_rollouts_than_others_is_a_finding():
    steps = regular(3, PROMPTS, a_step=2)
    others = [("x", 3, 1.0), ("x", 3, 0.0), *flat(regular(1, "yz", a_step=2, first=3))]
    twice_begun = flat([*steps[:3], others[:4], *steps[3:]])
    changed_size = flat([*regular(2, PROMPTS, a_step=4)[:4], *steps[3:]])
    for rows, usual, most in ((twice_begun, 4, 8), (changed_size, 8, 12)):
        (finding,) = number_visits(log_of(rows)).steps.findings
        assert (finding.kind, list(finding.steps)) == (FindingKind.LARGE_STEPS, [3])
        assert f"at most {usual} rollouts" in finding.render() and f"up to {most}: 3" in finding.render()
