"""Errors a person is meant to read: each names what was found, what was expected and what to do next."""


class LimrError(Exception):
    """An error in the input, the configuration or the machine, not in the program: shown without a traceback."""


class ContractError(LimrError):
    """A file does not hold what its contract in ``schemas/`` promises."""
