"""Which faults are planted, in which order, and which criteria are measured again under each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from retspec.errors import DoesNotApply, NothingSelected, did_you_mean
from retspec.plan import make_plan
from retspec.plugins.kinds import MODEL
from retspec.proving.fitting import is_own_training, why_unfit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from retspec.plugins.catalog import Catalog
    from retspec.plugins.kinds import Check, Fault
    from retspec.records import Plan

_PREDICTIONS = "prediction_files"
_OF_MADE = frozenset({"model", "transforms"})
UNREAD = "no criterion reads what it changes"


@dataclass(frozen=True)
class Chosen:
    """A fault, and the plan of what is measured under it; None if no criterion reads what it changes."""

    fault: Fault
    plan: Plan | None
    unfit: str = ""
    """Why it is not planted, where that is known without measuring."""


def faults_of(catalog: Catalog, names: Sequence[str]) -> list[Fault]:
    """Return the named faults, or all of them, the likeliest first.

    Raises NothingSelected for a name that is none.
    """
    for name in names:
        if name not in catalog.faults:
            near = did_you_mean(name, catalog.faults)
            raise NothingSelected(f"there is no fault {name!r}{near}; there are {', '.join(catalog.faults)}")
    chosen = [fault for fault in catalog.faults.values() if not names or fault.name in names]
    return sorted(chosen, key=lambda fault: (fault.frequency, fault.name))


def choose(plan: Plan, catalog: Catalog, names: Sequence[str] = ()) -> Iterator[Chosen]:
    """Yield each fault with the part of a plan that it may touch."""
    for fault in faults_of(catalog, names):
        if unfit := why_unfit(fault, plan.spec, catalog):
            yield Chosen(fault, None, unfit)
            continue
        is_launched = fault.part == MODEL and is_own_training(plan.spec, catalog)
        shown = fault.in_own_training() if is_launched else fault
        touched = [*_touched(plan, catalog, shown)]
        probing = [] if touched else [*_reading(plan, catalog, shown)][:1]  # shows only whether the fault applies
        try:
            yield Chosen(fault, under(plan, catalog, fault, touched or probing), UNREAD)
        except DoesNotApply as error:
            yield Chosen(fault, None, str(error))


def _touched(plan: Plan, catalog: Catalog, fault: Fault) -> Iterator[str]:
    for step in plan.checks:
        check = catalog.checks[step.criterion.check]
        if fault.touches(check, _parts(plan, catalog, check)):
            yield step.criterion.id


def _reading(plan: Plan, catalog: Catalog, fault: Fault) -> Iterator[str]:
    """Yield the criteria that read what a fault changes, the cheapest first, of whatever family."""
    for step in plan.checks:
        check = catalog.checks[step.criterion.check]
        if fault.reaches(_parts(plan, catalog, check)):
            yield step.criterion.id


def _parts(plan: Plan, catalog: Catalog, check: Check) -> frozenset[str]:
    """Return the parts of the subject that a check reads; predictions that retspec makes depend on what makes them."""
    parts, predictions = catalog.parts_of(check), plan.spec.predictions
    is_made = predictions is not None and predictions.make is not None
    return parts | _OF_MADE if is_made and _PREDICTIONS in parts else parts


def under(plan: Plan, catalog: Catalog, fault: Fault, ids: Sequence[str]) -> Plan | None:
    """Return a plan for some criteria alone: it needs no weights where those need none."""
    if not ids:
        return None
    run = replace(plan.spec.run, fault=fault.name)
    criteria = tuple(criterion for criterion in plan.spec.criteria if criterion.id in ids)
    return make_plan(replace(plan.spec, run=run, criteria=criteria, cell=fault.name), catalog)
