"""The report of a run that has not begun, and the report that combines the cells of a matrix."""

from __future__ import annotations

import platform
import socket
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from retspec.judge import not_run, skipped
from retspec.records import Asked, Provenance, Report, Result, Verdict
from retspec.results.prediction_hashes import prediction_hashes
from retspec.results.provenance import subject_of, subject_sha256
from retspec.text.wording import listing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from retspec.plugins.catalog import Catalog
    from retspec.records import Plan, Proof, Spec


def openings(
    plans: Sequence[Plan], catalog: Catalog, *, strict: bool, asked: Asked | None = None, proof: Proof | None = None
) -> list[Report]:
    """Return the reports of a run that has not begun, one for each cell of a spec.

    proof: what is known of a spec; one that is about another state of it is left out.
    """
    around = _surroundings(plans[0].spec, catalog)
    found = [_opening(plan, around, strict=strict, asked=asked) for plan in plans]
    return [each if proof is None else _proven(each, proof) for each in found]


def _proven(report: Report, proof: Proof) -> Report:
    return replace(report, proof=proof if proof.spec_sha256 == report.provenance.spec_sha256 else None)


def opening(plan: Plan, catalog: Catalog, *, strict: bool, asked: Asked | None = None) -> Report:
    """Return the report of a run that has not begun: every criterion is "not run", or skipped by the spec."""
    return _opening(plan, _surroundings(plan.spec, catalog), strict=strict, asked=asked)


def _opening(plan: Plan, around: Provenance, *, strict: bool, asked: Asked | None) -> Report:
    spec = plan.spec
    results = in_order(plan, [not_run(step.criterion, "the run ended before it was reached") for step in plan.checks])
    return Report(
        name=titled(spec),
        cell=spec.cell,
        file=spec.file,
        description=spec.description,
        started=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S"),
        results=results,
        asked=asked or Asked(),
        unselected=len(spec.criteria) - len(results),
        unselected_cells=spec.unselected_cells,
        notes=_notes(plan),
        strict=strict,
        provenance=_provenance(plan, around),
    )


def _notes(plan: Plan) -> tuple[str, ...]:
    """Return what a reader should know of the plan, the spec and the training config, whatever is asked."""
    spec, seeds = plan.spec, plan.spec.run.seed_count
    doubts = tuple(doubt.message for doubt in spec.doubts)
    if seeds > 1 and plan.checks and not any(step.varies for step in plan.checks):
        sentence = "none reads anything that is made anew under each"
        doubts += (f"Every criterion is measured once, not under {seeds} seeds: {sentence}.",)
    if spec.config is None or not spec.config.otherwise:
        return doubts
    name = Path(spec.config.file).name
    return (*doubts, f"{name}: PyYAML reads YAML 1.1, where {listing(spec.config.otherwise, '; ')}.")


def composed(parts: Sequence[Report], *, seconds: float) -> Report:
    """Return the report of a run: the only part, or a report that holds the parts of a matrix."""
    first = parts[0]
    if not first.cell:
        return first
    return Report(
        name=first.name.removesuffix(f"[{first.cell}]"),
        file=first.file,
        description=first.description,
        started=first.started,
        seconds=seconds,
        results=(),
        asked=first.asked,
        unselected_cells=first.unselected_cells,
        strict=first.strict,
        cells=tuple(parts),
        notes=tuple(_unneeded_waivers(parts)),
    )


def _unneeded_waivers(parts: Sequence[Report]) -> Iterator[str]:
    """Yield which waivers no cell needs: what one cell meets, another may not."""
    results: dict[str, list[Result]] = {}
    for result in (result for part in parts for result in part.results):
        results.setdefault(result.criterion.id, []).append(result)
    for name, found in results.items():
        is_met = len(found) == len(parts) and all(each.verdict is Verdict.MET for each in found)
        if is_met and found[0].criterion.waive is not None:
            yield f"{found[0].criterion.mark}: {name} is met in every cell; its waiver is no longer needed."


def titled(spec: Spec) -> str:
    """Return the name of a spec, with the cell if it has a matrix: `rank_sweep[r=8]`."""
    return f"{spec.name}[{spec.cell}]" if spec.cell else spec.name


def in_order(plan: Plan, results: Iterable[Result]) -> tuple[Result, ...]:
    """Return the results, and those of the criteria that the spec skips, in the order of the spec."""
    found = {result.criterion.id: result for result in (*results, *map(skipped, plan.skipped))}
    return tuple(found[criterion.id] for criterion in plan.spec.criteria if criterion.id in found)


def _surroundings(spec: Spec, catalog: Catalog) -> Provenance:
    """Return what all cells of a spec share: git and the metadata of packages take a tenth of a second."""
    return Provenance(
        git_commit=_git_commit(Path(spec.file).parent),
        platform=f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        hostname=socket.gethostname(),
        versions=catalog.versions,
        plugins={plugin.name: plugin.version for plugin in catalog.plugins},
    )


def _provenance(plan: Plan, around: Provenance) -> Provenance:
    run, subject = plan.spec.run, subject_of(plan.spec)
    return replace(
        around,
        spec_sha256=plan.spec.sha256,
        config_sha256=plan.spec.config.sha256 if plan.spec.config else "",
        subject=subject,
        subject_sha256=subject_sha256(subject),
        predictions_sha256=prediction_hashes(plan),
        seed=run.seed,
        device=run.device,
        dtype=run.dtype or "as the model has it",
        threads=run.threads,
    )


def _git_commit(folder: Path) -> str:
    """Return the git commit of the spec's folder, or an empty string outside a repository."""
    command = ["git", "-C", str(folder), "rev-parse", "HEAD"]
    try:
        found = subprocess.run(command, capture_output=True, text=True, timeout=5, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return found.stdout.strip()
