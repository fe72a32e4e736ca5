"""The findings of pre-flight checks."""

from dataclasses import dataclass

from limr.errors import LimrError

Found = str | LimrError
"""Text about what the check confirmed, or the problem as an error."""


@dataclass(frozen=True)
class Finding:
    """One finding of the check named ``about``."""

    about: str
    found: Found

    @property
    def good(self) -> bool:
        """Whether the check found no problem."""
        return isinstance(self.found, str)

    @property
    def text(self) -> str:
        """The finding as one line."""
        return str(self.found)
