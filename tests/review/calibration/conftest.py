"""Calibrating a spec from given observations, through the command line, without measuring anything."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from retspec.cli import main
from retspec.prepare import prepare
from retspec.records import Observed, Outcome, Verdict
from retspec.report.formats.results import json as render
from tests.review.recorded import run_of

if TYPE_CHECKING:
    from collections.abc import Callable

SHOWING = str(Path(__file__).with_name("showing.py"))


@dataclass(frozen=True)
class Calibrated:
    """What a calibration came to: the file afterwards, and what was said."""

    code: int
    text: str
    out: str
    err: str

    def reason(self, name: str) -> str:
        """Return the end of a criterion's row."""
        (row,) = [line for line in (self.out + self.err).splitlines() if line.split()[:1] == [name]]
        return row.rpartition("—  ")[2].strip()


@pytest.fixture
def calibrated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[..., Calibrated]:
    """Calibrate `spec.yaml`, a text, from observed values by criterion; what is not observed has no verdict."""
    monkeypatch.chdir(tmp_path)

    def call(text: str, observed: dict[str, Any], *arguments: str, **recorded: Any) -> Calibrated:
        Path("spec.yaml").write_bytes(text.encode())
        Path("results.json").write_text(results_of("spec.yaml", observed, **recorded))
        capfd.readouterr()
        options = ["--results", "results.json", "-p", SHOWING, "--no-plugins"]
        code = main(["calibrate", "spec.yaml", *options, *arguments])
        return Calibrated(code, Path("spec.yaml").read_bytes().decode(), *capfd.readouterr())

    return call


def results_of(spec: str, observed: dict[str, Any], **recorded: Any) -> str:
    plan, _ = prepare(spec, plugins=[SHOWING], entry_points=False)
    names = [step.criterion.id for step in plan.checks]
    unseen = {"failure": Verdict.INCONCLUSIVE, "reason": "nothing can be seen"}
    outcomes = [_outcome(name, observed[name]) if name in observed else Outcome(id=name, **unseen) for name in names]
    return render(run_of(plan, outcomes, **recorded))


def _outcome(name: str, value: Any) -> Outcome:
    """Return the outcome of a value; of a list, that of each under a seed of its own."""
    if isinstance(value, list):
        return Outcome(id=name, by_seed={42 + index: _outcome(name, each) for index, each in enumerate(value)})
    return Outcome(id=name, observed=_as_observed(value))


def _as_observed(value: Any) -> Observed[Any]:
    return value if isinstance(value, Observed) else Observed(value)
