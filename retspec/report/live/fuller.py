"""Refuse to replace results by those of a part: what the part leaves out would be gone, and nobody would see it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from retspec.errors import UsageError
from retspec.results.results_file import read_report

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from retspec.records import Plan, Report


def require_no_fuller(
    prepared: Sequence[tuple[Sequence[Plan], Any]], named: Sequence[Mapping[str, str | Path]]
) -> None:
    """Raise UsageError if a run of a part would replace results, or a page that holds them, with more of the spec.

    prepared: the plans of each spec. named: for each spec, the name of a format to the path of its file.
    """
    for (plans, _), files in zip(prepared, named, strict=True):
        chosen = sum(len(plan.checks) + len(plan.skipped) for plan in plans)
        for path in files.values() if any(map(is_partial, plans)) else ():
            found = _results_in(Path(path))
            if found is not None and found.name == plans[0].spec.name and len(found.every_result) > chosen:
                raise UsageError(
                    f"{path} holds the results of {len(found.every_result)} criteria of this spec, and this run of "
                    f"{chosen} would replace them; give its results another path"
                )


def is_partial(plan: Plan) -> bool:
    """Whether a plan leaves out criteria or cells of its spec."""
    left_out = len(plan.spec.criteria) - len(plan.checks) - len(plan.skipped)
    return bool(left_out or plan.spec.unselected_cells)


def _results_in(path: Path) -> Report | None:
    """Return the results in a file; None for one that is not there, or holds none."""
    try:
        return read_report(path)
    except UsageError:
        return None
