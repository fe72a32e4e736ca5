"""A small calculator that solves the miniature's prompts from their text, without the generator's own arithmetic."""

import re


def calculate(text, names):
    """Value of an expression with + - *, parentheses, juxtaposition (``3(x+2)``) and variables ``names``."""
    tokens = re.findall(r"\d+|[a-z]|[-+*()]", text)
    assert "".join(tokens) == text, text

    def total():
        value = product()
        while tokens and tokens[0] in "+-":
            value = value + product() if tokens.pop(0) == "+" else value - product()
        return value

    def product():
        value = factor()
        while tokens and (tokens[0] == "*" or tokens[0] == "(" or tokens[0].isalnum()):
            if tokens[0] == "*":
                tokens.pop(0)
            value *= factor()
        return value

    def factor():
        token = tokens.pop(0)
        if token == "(":
            value = total()
            assert tokens.pop(0) == ")"
            return value
        return int(token) if token.isdigit() else names[token]

    result = total()
    assert not tokens, text
    return result


def is_solved_by(prompt, answer):
    """Whether ``answer`` answers ``prompt``, from the prompt's text alone."""
    for pattern, check in CHECKS:
        if match := re.fullmatch(pattern, prompt):
            return check(answer, *match.groups())
    raise AssertionError(f"no check matches the prompt {prompt!r}")


def sequence(answer, first, rule, term):
    value = int(first)
    for _ in range(int(term) - 1):
        value = calculate(rule, {"a": value})
    return value == answer


def functions(answer, f, g, call):
    rules = {"f": f, "g": g}
    names, argument = re.fullmatch(r"([fg(]+)(\d+)\)+", call).groups()
    value = int(argument)
    for name in reversed(names.replace("(", "")):
        value = calculate(rules[name], {"x": value})
    return value == answer


def numbers(answer, expected):
    return answer == expected


CHECKS = [
    (r"Compute (.*)\.", lambda answer, text: numbers(answer, calculate(text, {}))),
    (r"Solve (.*)=(\d+)\.", lambda answer, left, right: calculate(left, {"x": answer}) == int(right)),
    (r"Find (.*) mod (\d+)\.", lambda answer, text, modulus: numbers(answer, calculate(text, {}) % int(modulus))),
    (
        r"Seats in (\d+) rows of (\d+)(?: and (\d+) more)?(?:, (\d+) taken)?\?",
        lambda answer, rows, seats, more, taken: numbers(
            answer, int(rows) * int(seats) + int(more or 0) - int(taken or 0)
        ),
    ),
    (r"Area of a (\d+) by (\d+) rectangle\?", lambda answer, a, b: numbers(answer, int(a) * int(b))),
    (
        r"Perimeter of a (\d+) by (\d+) rectangle(?: less (\d+))?\?",
        lambda answer, a, b, less: numbers(answer, 2 * (int(a) + int(b)) - int(less or 0)),
    ),
    (
        r"Volume of a (\d+) by (\d+) by (\d+) box\?",
        lambda answer, a, b, c: numbers(answer, int(a) * int(b) * int(c)),
    ),
    (r"First term (\d+), next is ([^,]*), term (\d+)\?", sequence),
    (r"f\(x\)=([^,]*)(?:, g\(x\)=([^,]*))?, ([fg].*)\?", functions),
]


def last_value_of_true_steps(worked):
    """The last value of a worked text, with each step checked: ``7+5->12-3->9`` gives 9."""
    start, steps = re.fullmatch(r"(\d+)((?:[-+*/%]\d+->\d+)+)", worked).groups()
    value = int(start)
    for sign, operand, shown in re.findall(r"([-+*/%])(\d+)->(\d+)", steps):
        operand, shown = int(operand), int(shown)
        if sign == "/":
            assert shown * operand == value, worked
        elif sign == "%":
            assert 0 <= shown < operand and (value - shown) % operand == 0, worked
        else:
            assert shown == {"+": value + operand, "-": value - operand, "*": value * operand}[sign], worked
        value = shown
    return value
