"""The first half of the flow, load → validate → plan: everything that comes before a measurement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from retspec.errors import NothingSelected, PluginError, SpecError, UsageError
from retspec.plan import make_plan, select_cells
from retspec.plugins.catalog import Catalog, gather
from retspec.spec.load import load, load_cells, plugins_of
from retspec.spec.validate import validate_cells
from retspec.subjects.devices import cores
from retspec.text.masking import Mask

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from retspec.errors import Problem
    from retspec.records import Plan
    from retspec.spec.document import Document
    from retspec.spec.load import SpecGiven


class Preparing(TypedDict, total=False):
    """The keyword arguments that determine a plan.

    plugins: files or modules to load, in addition to those that the spec names and the installed ones (`entry_points`).
    select, skip: patterns of criterion ids. tags: a criterion is selected if it has one of them.
    gathering: `gather`, or a cached version of it for several specs with the same plugins.
    """

    plugins: Sequence[str]
    entry_points: bool
    select: Sequence[str]
    tags: Sequence[str]
    skip: Sequence[str]
    gathering: Callable[..., Catalog]


def prepare(spec: SpecGiven, *, overrides: Sequence[str] = (), **options: Unpack[Preparing]) -> tuple[Plan, Catalog]:
    """Load, validate and plan a spec that has no matrix.

    Raises SpecError, PluginError, UsageError or NothingSelected.
    """
    (plan,), catalog = _planned([load(spec, overrides)], **options)
    return plan, catalog


def prepare_cells(
    spec: SpecGiven, *, cells: Sequence[str] = (), overrides: Sequence[str] = (), **options: Unpack[Preparing]
) -> tuple[list[Plan], Catalog]:
    """Load, validate and plan every cell of a spec's matrix; without a matrix, the spec itself.

    cells: patterns of cell names; a cell is selected if it matches one of them.
    Raises what `prepare` raises; a problem that several cells share is reported once.
    """
    return _planned(select_cells(load_cells(spec, overrides), cells), **options)


def prepare_all(
    specs: Sequence[SpecGiven],
    *,
    cells: Sequence[str] = (),
    overrides: Sequence[str] = (),
    announce: Callable[[Document, Callable[[], Catalog]], None],
    **options: Unpack[Preparing],
) -> list[tuple[list[Plan], Catalog]]:
    """Prepare every cell of several specs.

    announce: called with each document before it is validated, and with a function that gathers its catalog.
    Raises what `prepare` raises; one SpecError holds the problems of all specs.
    """
    prepared: list[tuple[list[Plan], Catalog]] = []
    problems: list[Problem] = []
    for number, spec in enumerate(specs, 1):
        which = f"spec {number} of {len(specs)}" if isinstance(spec, Mapping) and len(specs) > 1 else ""
        try:
            documents = select_cells(load_cells(spec, overrides), cells)
            announce(documents[0], partial(_gathered, documents[0], options))
            prepared.append(_planned(documents, **options))
        except SpecError as error:
            problems += [_of(which, problem) for problem in error.problems]
        except (UsageError, PluginError, NothingSelected) as error:
            if len(specs) == 1:
                raise
            raise type(error)(f"{which or spec}: {error}") from error
    if problems:
        raise SpecError(problems)
    return prepared


def _of(which: str, problem: Problem) -> Problem:
    """Return a problem that says in which mapping it is: the places of several are alike."""
    return replace(problem, message=f"{which}: {problem.message}") if which else problem


def _planned(
    documents: Sequence[Document],
    *,
    select: Sequence[str] = (),
    tags: Sequence[str] = (),
    skip: Sequence[str] = (),
    **options: Any,
) -> tuple[list[Plan], Catalog]:
    catalog = _gathered(documents[0], options)
    specs = validate_cells(documents, catalog)
    return [make_plan(each, catalog, select=select, tags=tags, skip=skip) for each in specs], catalog


def share_cores(
    prepared: Sequence[tuple[Sequence[Plan], Catalog]], jobs: int
) -> tuple[list[tuple[list[Plan], Catalog]], int]:
    """Return the plans with a share of the cores for each lane, unless a spec sets its own threads, and how many lanes.

    jobs: how many cells may be measured at a time; of a cell, each seed counts.
    """
    lanes = max(1, min(jobs, sum(len(plan.rounds) for plans, _ in prepared for plan in plans)))
    share = max(1, cores() // lanes)

    def shared(plan: Plan) -> Plan:
        return plan if lanes == 1 or plan.spec.run.threads else plan.with_run(threads=share)

    return [([shared(plan) for plan in plans], catalog) for plans, catalog in prepared], lanes


def _gathered(document: Document, options: Mapping[str, Any]) -> Catalog:
    """Return the catalog of the plugins that a document and the arguments of `Preparing` name.

    Raises PluginError, without the secrets that may be part of the path of a plugin, or in what it raises.
    """
    gathering = options.get("gathering", gather)
    of_spec, others = plugins_of(document), tuple(options.get("plugins", ()))
    entry_points = options.get("entry_points", True)
    try:
        catalog: Catalog = gathering((*of_spec, *others), entry_points=entry_points, recorded=of_spec)
    except PluginError as error:
        raise type(error)(Mask(document.secrets).text(str(error))) from error
    return catalog
