"""What a check of the pre-flight found."""

from dataclasses import dataclass

from limr.errors import LimrError

Found = str | LimrError
"""What is as it should be, as text; or a problem."""


@dataclass(frozen=True)
class Finding:
    """What the check ``about`` something found."""

    about: str
    found: Found

    @property
    def good(self) -> bool:
        """Whether it is no problem."""
        return isinstance(self.found, str)

    @property
    def text(self) -> str:
        """The finding as one line."""
        return str(self.found)
