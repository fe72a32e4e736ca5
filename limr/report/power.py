"""The power of a paired t test over seeds: how large a difference must be to be found.

    python -m limr.report.power SPREAD SEEDS

prints the smallest difference that this many seeds find. SPREAD is the standard deviation, over the seeds, of the
difference between two methods. Plan the number of seeds with it before a run, from the spread of an earlier one.
"""

from argparse import ArgumentParser, ArgumentTypeError
from contextlib import suppress

import numpy as np
from scipy import optimize, stats

from limr.errors import counted

POWER, LEVEL = 0.9, 0.05


def power(difference: float, spread: float, seeds: int, level: float = LEVEL) -> float:
    """The chance that a two-sided paired t test at ``level`` finds a true ``difference``, with two seeds or more.

    ``spread``: the standard deviation of the difference over the seeds, which are taken as normally distributed.

    >>> round(power(difference=0.5, spread=1.0, seeds=34), 2)
    0.81
    """
    freedom = seeds - 1
    critical, noncentral = stats.t.ppf(1 - level / 2, freedom), difference / spread * np.sqrt(seeds)
    # both tails as upper tails: scipy's lower tail is NaN for large differences
    return float(stats.nct.sf(critical, freedom, noncentral) + stats.nct.sf(critical, freedom, -noncentral))


def smallest_difference(spread: float, seeds: int, chance: float = POWER, level: float = LEVEL) -> float:
    """The smallest true difference that the test finds with this ``chance``, in the unit of ``spread``.

    >>> round(smallest_difference(spread=2.0, seeds=9), 2)
    2.47
    """
    critical = stats.t.ppf(1 - level / 2, seeds - 1)
    # a normal distribution would give the sum of the two quantiles; t is never five times as wide here
    far = 5 * (critical + stats.norm.ppf(chance)) / np.sqrt(seeds)
    return spread * float(optimize.brentq(lambda ratio: power(ratio, 1.0, seeds, level) - chance, 0.0, far))


def _spread(text: str) -> float:
    with suppress(ValueError):
        if 0 < float(text) < float("inf"):
            return float(text)
    raise ArgumentTypeError(f"found {text}, expected a positive number")


def _seeds(text: str) -> int:
    with suppress(ValueError):
        if int(text) >= 2:
            return int(text)
    raise ArgumentTypeError(f"found {text}, expected a whole number, at least 2")


def main(arguments: list[str] | None = None) -> None:
    """Print the smallest difference for the spread and the number of seeds in ``arguments``."""
    parser = ArgumentParser(prog="python -m limr.report.power", description="The power of a paired t test over seeds.")
    parser.add_argument("spread", type=_spread, help="standard deviation of the difference over the seeds")
    parser.add_argument("seeds", type=_seeds, help="number of seeds")
    given = parser.parse_args(arguments)
    found = smallest_difference(given.spread, given.seeds)
    print(
        f"{counted(given.seeds, 'seed')} find a difference of {found:.3g} with {100 * POWER:g} % power: "
        f"two-sided paired t test at {100 * LEVEL:g} %, spread {given.spread:g}."
    )


if __name__ == "__main__":
    main()
