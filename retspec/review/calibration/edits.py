"""Proposals → the new text of a spec, of which nothing but limits has changed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from retspec.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from retspec.records import Spec
    from retspec.review.calibration.proposals import Proposal


def edited(text: str, proposals: Iterable[Proposal]) -> str:
    """Return a text with the proposed limits in their places."""
    changes = [(proposal.spot, proposal.text) for proposal in proposals if proposal.spot is not None]
    for spot, limit in sorted(changes, key=lambda change: -change[0].start):  # from the end: the places stay true
        text = f"{text[: spot.start]}{spot.before}{limit}{spot.after}{text[spot.end :]}"
    return text


def require_as_meant(before: Spec, after: Spec, proposals: Iterable[Proposal]) -> None:
    """Raise UsageError if a spec, read again after the edit, differs in anything but the proposed limits."""
    limits = {proposal.result.criterion.id: proposal.new for proposal in proposals if proposal.new is not None}
    found = {criterion.id: criterion for criterion in after.criteria}
    for old in before.criteria:
        new = found.pop(old.id, None)
        if new is None or replace(new, mark=old.mark) != replace(old, limit=limits.get(old.id, old.limit)):
            raise UsageError(f"{old.id} would not become what it is meant to be; nothing is written")
    if found:
        raise UsageError(f"{next(iter(found))} would be a new criterion; nothing is written")
