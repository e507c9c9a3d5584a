"""What `-x` did: which criterion ended the run, and what it left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.characters import one_line
from retspec.plugins.hooks import hookimpl
from retspec.records import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from retspec.records import Report, Result


class FirstFailure:
    """Remembers the first criterion that is not met: under `-x`, it ends the run."""

    def __init__(self) -> None:
        self._ended_by: Result | None = None

    @hookimpl
    def retspec_criterion_finished(self, result: Result) -> None:
        """Remember the first."""
        if self._ended_by is None and not result.verdict.is_accepted:
            self._ended_by = result

    def sentence(self, reports: Iterable[Report]) -> str:
        """Return that `-x` ended the run, after which criterion, and how many did not run; empty if it did not."""
        if self._ended_by is None:
            return ""
        name, verdict = one_line(self._ended_by.criterion.name), self._ended_by.verdict
        left = sum(report.count(Verdict.NOT_RUN) for report in reports)
        rest = f"{left:,} {'criterion was' if left == 1 else 'criteria were'} not run" if left else "it was the last"
        return f"-x ended the run after {name} ({verdict}); {rest}"
