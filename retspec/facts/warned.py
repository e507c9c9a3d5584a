"""What Python warned of."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SeenWarning:
    """A warning, and the line that it is about."""

    category: str
    """The name of its class, such as `UserWarning`."""
    message: str
    file: str
    """Below `site-packages`, from there on."""
    line: int

    def __str__(self) -> str:
        """The warning in one line, as Python prints it."""
        return f"{self.file}:{self.line}: {self.category}: {self.message}"


@dataclass(frozen=True)
class Warned:
    """The distinct warnings of a run so far, in the order in which they came up."""

    warnings: tuple[SeenWarning, ...]
    made: tuple[str, ...]
    """The measurements and parts of the subject that were made meanwhile."""
    failed: tuple[str, ...]
    """Those that raised: what they would have warned of is not known."""
    resumed: bool = False
    """Whether a worker died before: what it was warned of is not known."""
