"""Tolerances: floating-point rounding must not decide the rank of prompts or whether two curves are equal."""

DECIMALS = 12  # methods round scores to these decimals, so that rounding errors of a mean or a sum do not break ties
ROUNDING = 1e-12  # relative: two means of the same rewards, added in another order, differ by less than this
