"""Two methods of one configuration are never drawn alike."""

from limr.report.looks import method_looks

PAPER = ["full", "rand", "linear", "lim"]


def pairs(methods: list[str]) -> list[tuple[str, str]]:
    looks = method_looks(methods)
    return [(looks[method].colour, looks[method].marker) for method in methods]


def test_no_two_of_many_methods_share_colour_and_marker():
    methods = [*PAPER, *(f"mine_{number}" for number in range(73))]
    assert len(set(pairs(methods))) == len(methods) == 77


def test_without_colours_eleven_methods_differ_by_their_markers_and_all_of_one_colour_by_their_lines():
    methods = [*PAPER, *(f"mine_{number}" for number in range(24))]
    looks = method_looks(methods)
    assert len({looks[method].marker for method in methods[:11]}) == 11
    for colour in {look.colour for look in looks.values()}:
        lines = [look.line for look in looks.values() if look.colour == colour]
        assert len(set(lines)) == len(lines) == 4


def test_the_methods_of_the_paper_look_the_same_in_every_configuration():
    every = method_looks(["mine", *reversed(PAPER)])
    assert {method: every[method] for method in PAPER} == method_looks(PAPER)
