"""List the changes between two specs, criterion by criterion, and which of them loosen the spec.

The direction of a check shows whether a limit became stricter or looser. Where that is not known (an exact value, other
arguments, another check, another seed), a change counts as loosening, so that a person looks at it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from retspec.records import Aggregate, Criterion, Direction, Judged, Severity, Value, bytes_of, plain, seconds
from retspec.results.provenance import differences, subject_of
from retspec.text.masking import Mask
from retspec.text.wording import waived

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from retspec.records import Spec


class Kind(StrEnum):
    """How a criterion changed."""

    ADDED = "ADDED"
    REMOVED = "REMOVED"
    TIGHTENED = "TIGHTENED"
    LOOSENED = "LOOSENED"
    CHANGED = "CHANGED"
    ARGUMENTS_CHANGED = "ARGUMENTS CHANGED"
    CHECK_CHANGED = "CHECK CHANGED"
    SEVERITY_CHANGED = "SEVERITY CHANGED"
    SKIPPED = "SKIPPED"
    RESUMED = "RESUMED"
    """No longer skipped."""
    WAIVED = "WAIVED"
    """A miss is accepted until a date: the limit stays, and the waiver has an owner."""
    NO_LONGER_WAIVED = "NO LONGER WAIVED"


@dataclass(frozen=True, kw_only=True)
class Change:
    """One thing that changed."""

    name: str
    """The id of a criterion, or a section of the spec."""
    kind: Kind
    part: str
    """The part that changed: `limit`, `warn`, `with.steps`, `model.lora.r`."""
    old: Any
    new: Any
    direction: Direction | None = None
    unit: str = ""
    is_loosening: bool = False


def changes(old: Sequence[Spec], new: Sequence[Spec]) -> list[Change]:
    """Return the changes between two valid specs, each given as its cells; a spec without a matrix is one cell."""
    before, after = ({spec.cell: spec for spec in specs} for specs in (old, new))
    found = [change for cell in {**after, **before} for change in _of_cell(before.get(cell), after.get(cell))]
    distinct = {(change.name, change.part, repr(change.old), repr(change.new)): change for change in found}
    return [*distinct.values()]  # a change in all cells, such as another model, is listed once


def _of_cell(old: Spec | None, new: Spec | None) -> list[Change]:
    if old and new:
        return _of_specs(old, new)
    cell, kind = (new.cell, Kind.ADDED) if new else (old.cell if old else "", Kind.REMOVED)
    name = f"[{cell}]" if cell else "(no matrix)"
    sizes = [len(spec.criteria) if spec else None for spec in (old, new)]
    return [Change(name=name, kind=kind, part="criteria", old=sizes[0], new=sizes[1], is_loosening=new is None)]


def _of_specs(old: Spec, new: Spec) -> list[Change]:
    """Return the changes between two cells: the criteria in the order of the new one, then the subject."""
    before, after = ({criterion.id: criterion for criterion in spec.criteria} for spec in (old, new))
    found = [
        change for name in {**after, **before} for change in _of_criterion(before.get(name), after.get(name), old, new)
    ]
    mask = Mask({*old.secrets, *new.secrets})
    masked = [replace(change, old=mask.given(change.old), new=mask.given(change.new)) for change in found]
    return [*masked, *_of_subject(old, new), *_of_run(old, new)]


def _of_subject(old: Spec, new: Spec) -> Iterator[Change]:
    for path, before, after in differences(plain(subject_of(old)), plain(subject_of(new))):
        section = path.partition(".")[0]
        is_loosening = path.startswith(_JUDGING)
        yield Change(name=section, kind=Kind.CHANGED, part=path, old=before, new=after, is_loosening=is_loosening)


_JUDGING = (
    *("run.seed", "run.fault", "model.checkpoint_sha256", "data.group"),
    *("predictions.group", "predictions.label", "predictions.split"),
)
"""Parts of the subject that decide what comes out under one and the same model, data and recipe."""


def _of_run(old: Spec, new: Spec) -> Iterator[Change]:
    """Yield what changed of how a spec runs, but for the seed and the dtype, which belong to the subject."""
    for name in ("device", "threads"):
        before, after = (getattr(spec.run, name) for spec in (old, new))
        if before != after:
            yield Change(name="run", kind=Kind.CHANGED, part=f"run.{name}", old=before, new=after, is_loosening=True)
    yield from _seeds(old, new)
    for name, amount in _BOUNDS.items():
        before, after = (getattr(spec.run, name) for spec in (old, new))
        was, now = (None if bound is None else amount(bound) for bound in (before, after))
        if was != now:
            is_looser = _is_looser_bound(was, now)
            kind = Kind.LOOSENED if is_looser else Kind.TIGHTENED
            yield Change(name="run", kind=kind, part=f"run.{name}", old=before, new=after, is_loosening=is_looser)


def _seeds(old: Spec, new: Spec) -> Iterator[Change]:
    """Yield another number of seeds: the worst of more is never better; of medians, any may be."""
    before, after = old.run.seed_count, new.run.seed_count
    has_median = any(criterion.aggregate is Aggregate.MEDIAN for criterion in new.criteria)
    if before != after:
        kind = Kind.LOOSENED if after < before else Kind.CHANGED if has_median else Kind.TIGHTENED
        is_loosening = after < before or has_median
        yield Change(name="run", kind=kind, part="run.seed_count", old=before, new=after, is_loosening=is_loosening)


_BOUNDS: Mapping[str, Callable[[str], float]] = {
    "timeout": seconds,
    "measurement_timeout": seconds,
    "memory": bytes_of,
}
"""What a run may take, and how its text becomes a number."""


def _is_looser_bound(old: float | None, new: float | None) -> bool:
    """Whether a bound on time or memory, whose excess takes the verdict away, allows more than another."""
    return new is None or (old is not None and new > old)


def _of_criterion(old: Criterion | None, new: Criterion | None, before: Spec, after: Spec) -> Iterator[Change]:
    if old is None or new is None:
        yield from _come_or_gone(old, new)
    elif (old.check, old.direction, old.unit) != (new.check, new.direction, new.unit):
        yield _change(new, Kind.CHECK_CHANGED, "check", (old.check, new.check), is_loosening=True)
    else:
        for aspect in _ASPECTS:
            yield from aspect(old, new)
        yield from _arguments(old, new, before, after)


def _come_or_gone(old: Criterion | None, new: Criterion | None) -> Iterator[Change]:
    if new is not None:
        yield _change(new, Kind.ADDED, "limit", (None, new.limit))
    elif old is not None:
        yield _change(old, Kind.REMOVED, "limit", (old.limit, None), is_loosening=True)


# The parts of a criterion that can change: one function each ----------------------------------------------


def _limit(old: Criterion, new: Criterion) -> Iterator[Change]:
    if old.limit == new.limit:
        return
    if new.direction is Direction.EQUAL:
        yield _change(new, Kind.CHANGED, "limit", (old.limit, new.limit), is_loosening=True)
    else:
        yield _moved(new, "limit", old.limit, new.limit)


def _warn(old: Criterion, new: Criterion) -> Iterator[Change]:
    if old.warn != new.warn:
        yield _moved(new, "warn", old.warn, new.warn)


def _judge(old: Criterion, new: Criterion) -> Iterator[Change]:
    """Yield another choice of what is judged; the bound is never better than the point."""
    if old.judge is not new.judge:
        is_looser = new.judge is not Judged.BOUND
        kind = Kind.LOOSENED if is_looser else Kind.TIGHTENED
        yield _change(new, kind, "judge", (old.judge, new.judge), is_loosening=is_looser)


def _aggregate(old: Criterion, new: Criterion) -> Iterator[Change]:
    """Yield another choice of the value that is judged; the median is never worse than the worst."""
    pair = (old.aggregate or Aggregate.WORST, new.aggregate or Aggregate.WORST)
    if pair[0] is not pair[1]:
        is_looser, was_looser = (each is Aggregate.MEDIAN for each in reversed(pair))
        kind = Kind.LOOSENED if is_looser else Kind.TIGHTENED if was_looser else Kind.CHANGED
        values = (pair[0].value, pair[1].value)
        yield _change(new, kind, "aggregate", values, is_loosening=is_looser)


def _severity(old: Criterion, new: Criterion) -> Iterator[Change]:
    if old.severity is not new.severity:
        pair = (old.severity.value, new.severity.value)
        yield _change(new, Kind.SEVERITY_CHANGED, "severity", pair, is_loosening=new.severity is Severity.WARN)


def _skip(old: Criterion, new: Criterion) -> Iterator[Change]:
    if (old.skip is None) != (new.skip is None):
        is_skipped = new.skip is not None
        kind = Kind.SKIPPED if is_skipped else Kind.RESUMED
        yield _change(new, kind, "skip", (old.skip, new.skip), is_loosening=is_skipped)


def _waive(old: Criterion, new: Criterion) -> Iterator[Change]:
    if old.waive != new.waive:
        kind = Kind.NO_LONGER_WAIVED if new.waive is None else Kind.WAIVED
        yield _change(new, kind, "waive", (_terms(old), _terms(new)))


def _timeout(old: Criterion, new: Criterion) -> Iterator[Change]:
    if old.timeout != new.timeout:
        is_looser = _is_looser_bound(old.timeout, new.timeout)
        kind = Kind.LOOSENED if is_looser else Kind.TIGHTENED
        yield _change(new, kind, "timeout", (old.timeout, new.timeout), is_loosening=is_looser)


def _tags(old: Criterion, new: Criterion) -> Iterator[Change]:
    """Yield the tags when one is gone: a run that selects by it would no longer judge the criterion."""
    if not set(old.tags) <= set(new.tags):
        yield _change(new, Kind.CHANGED, "tags", (old.tags, new.tags), is_loosening=True)


def _terms(criterion: Criterion) -> str | None:
    return None if criterion.waive is None else waived(criterion.waive)


_ASPECTS: tuple[Callable[[Criterion, Criterion], Iterator[Change]], ...] = (
    _limit,
    _judge,
    _aggregate,
    _warn,
    _severity,
    _skip,
    _waive,
    _timeout,
    _tags,
)


def _arguments(old: Criterion, new: Criterion, before: Spec, after: Spec) -> Iterator[Change]:
    for path, was, now in differences(plain(old.arguments), plain(new.arguments)):
        if not _follows_the_recipe(path, (was, before), (now, after)):
            yield _change(new, Kind.ARGUMENTS_CHANGED, f"with.{path}", (was, now), is_loosening=True)


def _follows_the_recipe(name: str, *sides: tuple[Any, Spec]) -> bool:
    """Whether an argument equals the value in `train:` on both sides: the change is already listed for the subject."""
    return all(hasattr(spec.train, name) and getattr(spec.train, name) == value for value, spec in sides)


def _moved(criterion: Criterion, part: str, old: Value | None, new: Value | None) -> Change:
    """Return the change of a bound; removing a bound loosens it."""
    is_looser = new is None or (old is not None and criterion.direction.is_stricter(old, new))
    kind = Kind.LOOSENED if is_looser else Kind.TIGHTENED
    return _change(criterion, kind, part, (old, new), is_loosening=is_looser)


def _change(
    criterion: Criterion, kind: Kind, part: str, values: tuple[Any, Any], *, is_loosening: bool = False
) -> Change:
    old, new = values
    return Change(
        name=criterion.name,
        kind=kind,
        part=part,
        old=old,
        new=new,
        direction=criterion.direction,
        unit=criterion.unit,
        is_loosening=is_loosening,
    )
