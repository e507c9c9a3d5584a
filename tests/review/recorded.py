"""Reports that were written and read back, and plans to judge them under; nothing is measured."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retspec.judge import judge, skipped
from retspec.prepare import prepare
from retspec.records import CheckStep, Observed, Outcome, Plan, Provenance, Recipe, Report, Spec
from retspec.report.formats.results import json as render
from retspec.results.provenance import subject_of, subject_sha256
from retspec.results.results_file import read_report
from tests.report.formats.sample import FILE, report

if TYPE_CHECKING:
    from collections.abc import Sequence

    from retspec.records import Criterion


def plan_of(*criteria: Criterion, train: Recipe | None = None, **changes: Any) -> Plan:
    spec = Spec(file=FILE, name="lora_preflight", criteria=criteria, train=train or Recipe(), sha256="5e" * 32)
    spec = Spec(**{**spec.__dict__, **changes})
    running = [criterion for criterion in criteria if criterion.skip is None]
    steps = tuple(CheckStep(criterion=criterion, inputs={}, arguments={}) for criterion in running)
    left_out = tuple(criterion for criterion in criteria if criterion.skip is not None)
    return Plan(spec=spec, measurements=(), checks=steps, skipped=left_out)


def run_of(plan: Plan, outcomes: Sequence[Outcome], **changes: Any) -> Report:
    """Return what a run would have reported."""
    subject = subject_of(plan.spec)
    results = [judge(step.criterion, outcome) for step, outcome in zip(plan.checks, outcomes, strict=True)]
    provenance = Provenance(
        spec_sha256=plan.spec.sha256, subject=subject, subject_sha256=subject_sha256(subject), device="cpu"
    )
    return report(*results, *map(skipped, plan.skipped), provenance=provenance, **changes)


def read_back(written: Report) -> Report:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "results.json"
        path.write_text(render(written))
        return read_report(path)


def green_results_of(spec: str | Path, *overrides: str) -> str:
    """Return the results.json of a run in which each criterion observed its very limit."""
    plan, _ = prepare(spec, overrides=overrides, entry_points=False)
    limits = [(step.criterion.id, step.criterion.limit) for step in plan.checks]
    outcomes = [Outcome(id=name, observed=Observed(limit)) for name, limit in limits if limit is not None]
    return render(run_of(plan, outcomes, name=plan.spec.name, file=plan.spec.file))
