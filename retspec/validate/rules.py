"""What a schema cannot say about a criterion."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.records import Criterion, Direction, Value
from retspec.validate.context import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from retspec.catalog import Catalog
    from retspec.kinds import Check

_OF_MODEL = frozenset({"model", "skeleton"})


def broken_rules(criterion: Criterion, catalog: Catalog, *, has_model: bool) -> Iterator[Finding]:
    """Yield what is wrong with a criterion that fits the schema."""
    if criterion.warn is not None:
        yield from _warn(criterion, criterion.warn)
    if not has_model and criterion.skip is None and needs_model(catalog, catalog.checks[criterion.check]):
        message = f"{criterion.check} measures a model, and the spec has none; add the section `model:`"
        yield Finding(("checks", criterion.id), message, on_key=True)


def needs_model(catalog: Catalog, check: Check) -> bool:
    """Whether something that a check reads is measured on the model."""
    return any(_OF_MODEL & set(catalog.inputs_of(name)) for name in check.measurements)


def _warn(criterion: Criterion, warn: Value) -> Iterator[Finding]:
    place = ("checks", criterion.id, "warn")
    if criterion.direction is Direction.EQUAL:
        yield Finding(
            place,
            f"{criterion.check} must equal its limit: nothing is stricter, so it takes no `warn`",
            on_key=True,
        )
    elif criterion.limit is not None and not _is_stricter(warn, criterion.limit, criterion.direction):
        side = "below" if criterion.direction is Direction.AT_MOST else "above"
        message = f"{criterion.id}: warn is {warn}, but only a value {side} the limit {criterion.limit} is stricter"
        yield Finding(place, message)


def _is_stricter(warn: Value, limit: Value, direction: Direction) -> bool:
    # Both come from one type, which the schema has seen to.
    return bool(warn < limit if direction is Direction.AT_MOST else warn > limit)  # type: ignore[operator]
