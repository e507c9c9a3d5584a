"""What changed since the last whole run of the spec, in a few lines: only facts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.characters import one_line
from retspec.records import Verdict
from retspec.text.wording import listing, readable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from retspec.report.kept.history import Run, Seen

_MOST_WORSE = 10
"""Criteria that became worse and get a line each."""
_RANKS = {Verdict.MET: 0, Verdict.WAIVED: 1, Verdict.SKIPPED: 1, Verdict.WARNED: 2}
_NOT_GREEN = 3


def since_last_time(runs: Sequence[Run], now: Run) -> Iterator[str]:
    """Yield what changed: a line for each criterion that became worse, and one for all other changes.

    runs: the earlier ones of the same spec, the newest last. Only criteria that had their turn now are compared.
    """
    last = next((run for run in reversed(runs) if run.whole), None)
    if last is None:
        return
    pairs = {name: (last.criteria.get(name), seen) for name, seen in now.criteria.items()}
    changed = {
        name: (old, new)
        for name, (old, new) in pairs.items()
        if old is not None and old.verdict is not new.verdict and new.verdict is not Verdict.NOT_RUN
    }
    worse = [name for name, (old, new) in changed.items() if _rank(new) > _rank(old)]
    others = [name for name in changed if name not in worse]
    head = f"since the whole run of {last.started.replace('T', ' ')[:16]} UTC{_other_circumstances(last, now)}"
    for name in worse[:_MOST_WORSE]:
        yield f"{head}: worse: {one_line(name)}: {_change(*changed[name], values=True)}"
    if len(worse) > _MOST_WORSE:
        yield f"{head}: worse: {len(worse) - _MOST_WORSE:,} more"
    if others:
        yield f"{head}: {listing([f'{one_line(name)}: {_change(*changed[name])}' for name in others], '; ')}"


def _rank(seen: Seen) -> int:
    return _RANKS.get(seen.verdict, _NOT_GREEN)


def _change(old: Seen, new: Seen, *, values: bool = False) -> str:
    text = f"{old.verdict.value} → {new.verdict.value}"
    if values and old.observed is not None and new.observed is not None:
        before, after = (readable(seen.observed, beside=seen.limit) for seen in (old, new))
        text += f" ({before} → {after})"
    if old.limit != new.limit and old.limit is not None and new.limit is not None:
        text += f", limit {readable(old.limit)} → {readable(new.limit)}"
    return text


def _other_circumstances(last: Run, now: Run) -> str:
    """Return in brackets what makes the comparison one of different things."""
    is_another = any(last.subjects.get(cell, subject) != subject for cell, subject in now.subjects.items())
    return " (another subject)" if is_another else ""
