"""Measuring without a report: for commands that show facts."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from retspec.engine.protocol import Done, Finished, Importing, Job, Made, Progress
from retspec.engine.supervisor import Workers, measure
from retspec.plugins.notifying import notify
from retspec.text.masking import Mask

if TYPE_CHECKING:
    from retspec.plugins.catalog import Catalog
    from retspec.records import Outcome, Plan


@dataclass
class Measurements:
    """What measuring a plan came to."""

    outcomes: dict[str, Outcome] = field(default_factory=dict)
    """By the id of their criterion."""
    facts: dict[str, Any] = field(default_factory=dict)
    """Plain data by the name of their measurement."""
    faults: tuple[str, ...] = ()
    """What went wrong with the run, each thing once."""


def measured(plan: Plan, catalog: Catalog) -> Measurements:
    """Measure a plan in a worker, and notify the catalog's observers of its progress."""
    found, faults, mask = Measurements(), list[str](), Mask(plan.spec.secrets)
    job = Job(plan=plan, plugins=catalog.named, entry_points=catalog.entry_points)
    names = {step.key: step.name for step in plan.measurements}
    with closing(Workers()) as workers, closing(measure(job, workers)) as messages:
        for message in messages:
            match message:
                case Progress(key, step, total):
                    name = names.get(key, key)  # the arguments say nothing new
                    step_begun = {"measurement": name, "step": step, "total": total, "name": plan.spec.name}
                    notify(catalog.hooks.hook, "progress", mask.data(step_begun), faults.append)
                case Importing(library):
                    begun = {"library": library, "name": plan.spec.name}
                    notify(catalog.hooks.hook, "importing", mask.data(begun), faults.append)
                case Made(made):
                    found.facts[names[made.key]] = made.facts
                case Finished(outcome):
                    found.outcomes[outcome.id] = outcome
                case Done(others):
                    faults += others
    found.faults = tuple(dict.fromkeys(map(mask.text, faults)))
    return found
