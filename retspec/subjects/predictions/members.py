"""Which images belong to which subgroup, such as a sex or a camera."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from retspec.errors import Inconclusive, SubjectError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

Chosen = Annotated[list[str], Meta(min_length=1, description="Columns of subgroups; by default all that are named.")]
_BLANK = "(blank)"


def members_of(
    named: Mapping[str, Sequence[str]], chosen: list[str] | None, elsewhere: Sequence[Mapping[str, Sequence[str]]] = ()
) -> dict[str, dict[str, NDArray[np.bool_]]]:
    """Return which images have each value of each column; a value of another split may have none.

    named: column to its value of each image; elsewhere: the same of all splits.

    Raises SubjectError for a column that the section does not name, and where it names none.
    """
    import numpy as np

    if not named:
        raise SubjectError("predictions names no subgroups; add `subgroups: [sex, camera]`", path="predictions")
    for column in chosen or named:
        if column not in named:
            raise SubjectError(
                f"predictions has no subgroups {column!r}{did_you_mean(column, named)}; it names {', '.join(named)}",
                path="checks",
            )
    found = {}
    for column in chosen or named:
        here = np.array(named[column])
        values = dict.fromkeys(value for split in (elsewhere or [named]) for value in split[column])
        found[column] = {value or _BLANK: here == value for value in values}
    return found


def require_two(column: str, members: Mapping[str, object]) -> None:
    """Raise Inconclusive for a column with one value."""
    if len(members) < 2:  # noqa: PLR2004 - it takes two
        raise Inconclusive(f"{column!r} has the one value {next(iter(members))!r}: there is nothing to compare")
