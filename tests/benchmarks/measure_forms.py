"""A table of equal and wrong forms of the real golds, by kind, with the numbers of refused and accepted forms.

    python tests/benchmarks/measure_forms.py [--most 200] [--show 3] [--math-verify]

Refused equal forms are false negatives, and accepted wrong forms are false positives. Good graders disagree about open
kinds, so the table only reports them. At most MOST forms of a kind are graded, from golds in one shuffled order.
"""

import argparse
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))
from equal_forms import equal_forms
from golds import distinct_golds
from kinds import Form
from wrong_forms import wrong_forms


def collect(most: int) -> dict[tuple[bool | None, str], list[Form]]:
    """At most ``most`` forms of each kind, by (equal, kind); one form per gold first, so that many golds take part."""
    found: dict[tuple[bool | None, str], list[Form]] = defaultdict(list)
    spare: dict[tuple[bool | None, str], list[Form]] = defaultdict(list)
    for index, gold in enumerate(distinct_golds()):
        of_gold: dict[tuple[bool | None, str], list[Form]] = defaultdict(list)
        for form in (*equal_forms(gold), *wrong_forms(gold)):
            of_gold[form.equal, form.kind].append(form)
        for key, forms in of_gold.items():
            first = index % len(forms)  # not always the first form of this kind
            found[key].append(forms[first])
            spare[key] += forms[:first] + forms[first + 1 :]
    return {key: (forms + spare[key])[:most] for key, forms in found.items()}


def by_this_project(gold: str, answer: str) -> bool:
    from limr.grading import equal

    return equal(gold, answer).equal


def by_math_verify(gold: str, answer: str) -> bool:
    """Math-Verify alone, both sides in a box, with its time limits."""
    from math_verify import parse, verify

    return verify(parse(f"\\boxed{{{gold}}}"), parse(f"\\boxed{{{answer}}}"))


def measure(most: int, accepts: Callable[[str, str], bool]) -> dict[tuple[bool | None, str], tuple[int, list[Form]]]:
    """For each (equal, kind): the number of graded forms, and the refused forms (equal kinds) or the accepted ones."""
    kinds = collect(most)
    results: dict[tuple[bool | None, str], tuple[int, list[Form]]] = {}
    with tqdm(total=sum(map(len, kinds.values())), unit="forms", disable=None) as bar:
        for key, forms in kinds.items():
            accepted = []
            for form in forms:
                if accepts(form.gold, form.answer):
                    accepted.append(form)
                bar.update()
            refused = [form for form in forms if form not in set(accepted)]
            results[key] = (len(forms), refused if key[0] else accepted)
    return results


def table(results: dict[tuple[bool | None, str], tuple[int, list[Form]]], show: int) -> str:
    lines = []
    for equal, title, column in ((True, "Equal", "refused"), (False, "Wrong", "accepted"), (None, "Open", "accepted")):
        rows = [(kind, *results[key]) for key in results if key[0] is equal for kind in (key[1],)]
        total, defects = sum(row[1] for row in rows), sum(len(row[2]) for row in rows)
        lines += [f"\n| {title} forms ({len(rows)} kinds) | forms | {column} | % |", "|---|---:|---:|---:|"]
        lines += [f"| **all** | {total} | {defects} | {100 * defects / max(total, 1):.2f} |"]
        for kind, count, forms in sorted(rows, key=lambda row: -len(row[2]) / row[1]):
            lines.append(f"| {kind} | {count} | {len(forms)} | {100 * len(forms) / count:.1f} |")
            if equal is not None:
                lines += [f"|   `{form.gold}` ← `{printable(form.answer)}` | | | |" for form in forms[:show]]
    return "\n".join(lines)


def printable(text: str) -> str:
    return text.replace("\n", "\\n").encode("ascii", "backslashreplace").decode()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--most", type=int, default=200, help="largest number of forms of a kind (200)")
    parser.add_argument("--show", type=int, default=3, help="examples of defects of a kind (3)")
    parser.add_argument("--math-verify", action="store_true", help="measure plain Math-Verify instead")
    options = parser.parse_args()
    start = time.monotonic()
    accepts = by_math_verify if options.math_verify else by_this_project
    print(table(measure(options.most, accepts), options.show))
    print(f"\n{time.monotonic() - start:.0f} s")


if __name__ == "__main__":
    main()
