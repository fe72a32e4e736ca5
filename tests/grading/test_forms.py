"""Equal and wrong forms of the real golds: a sample of those that ``tests/benchmarks/measure_forms.py`` measures."""

from collections import defaultdict

import pytest
from equal_forms import EQUAL, OPEN, equal_forms
from golds import NO_ANSWERS, all_golds, distinct_golds, read, same
from kinds import Form
from wrong_forms import WRONG, wrong_forms

from limr.grading import equal

FALSE_NEGATIVES = 0.03
FALSE_POSITIVES = 0.002
FORMS_OF_A_KIND = 12  # in the sample


@pytest.fixture(scope="module")
def sample() -> dict[tuple[bool, str], list[Form]]:
    """A few forms of every kind, each from another gold."""
    kinds: dict[tuple[bool, str], list[Form]] = defaultdict(list)
    done = set(OPEN)
    for place, gold in enumerate(distinct_golds(seed=1)):
        of_gold: dict[tuple[bool, str], list[Form]] = defaultdict(list)
        for form in (*equal_forms(gold, done), *wrong_forms(gold, done)):
            of_gold[bool(form.equal), form.kind].append(form)
        for key, forms in of_gold.items():
            kinds[key].append(forms[place % len(forms)])
            if len(kinds[key]) == FORMS_OF_A_KIND:
                done.add(key[1])
    return kinds


def described(forms: list[Form]) -> str:
    return "\n".join(f"{form.kind}: {form.gold} <- {form.answer}" for form in forms)


def test_there_are_many_kinds_of_equal_and_wrong_forms(sample):
    assert sum(right for right, _ in sample) == len(EQUAL) >= 15
    assert sum(not right for right, _ in sample) == len(WRONG) >= 15


def test_the_values_of_equal_forms_agree_and_those_of_wrong_forms_differ(sample):
    """The forms are made by rewriting text. Here both sides are read by value, without the grader."""
    forms = [form for some in sample.values() for form in some if form.kind != "unevaluated expression"]
    readings = [(form, read(form.gold), read(form.answer)) for form in forms]
    checked = [(form, a, b) for form, a, b in readings if a is not None and b is not None]
    assert len(checked) > 200
    assert described([form for form, a, b in checked if same(a, b) != form.equal]) == ""


def test_equal_forms_are_accepted(sample):
    forms = [form for (right, _), some in sample.items() if right for form in some]
    refused = [form for form in forms if not equal(form.gold, form.answer).equal]
    assert len(refused) <= FALSE_NEGATIVES * len(forms), described(refused)


def test_wrong_forms_are_refused(sample):
    forms = [form for (right, _), some in sample.items() if not right for form in some]
    accepted = [form for form in forms if equal(form.gold, form.answer).equal]
    assert len(accepted) <= FALSE_POSITIVES * len(forms), described(accepted)


def test_every_gold_equals_itself_except_the_two_that_are_empty():
    golds = all_golds()
    assert len(golds) == 9093
    failing = [gold for gold in golds if not equal(gold, gold).equal]
    assert failing == ["", ""]


def test_no_gold_equals_an_obviously_wrong_answer():
    assert not [gold for gold in sorted(set(all_golds()))[::5] if equal(gold, "987654321").equal]


def test_no_gold_equals_the_next_gold_in_the_alphabet():
    """Golds that look alike, side by side in the alphabet, are different answers unless their values agree."""
    ordered = sorted(set(all_golds()) - set(NO_ANSWERS))
    accepted = []
    for gold, other in zip(ordered[::10], ordered[1::10], strict=False):
        first, second = read(gold), read(other)
        if first is not None and second is not None and not same(first, second) and equal(gold, other).equal:
            accepted.append((gold, other))
    assert not accepted
