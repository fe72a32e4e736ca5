"""What counts as equal: floating-point rounding must not rank prompts or tell curves apart."""

DECIMALS = 12  # scores are rounded to so many decimals where they would otherwise tie but for the last digits of a mean
ROUNDING = 1e-12  # relative: two means of the same rewards, added in another order, differ by less than this
