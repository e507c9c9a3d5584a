"""Run a spec from pytest: the batch from a fixture, a signal for the whole session."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest

from retspec.errors import SubjectError, UsageError
from retspec.prepare import Preparing, prepare_cells
from retspec.running import run
from retspec.subjects.data.sources.fixture_data import PATH, VARIABLE, fixture, hand_over
from retspec.subjects.seeds import seeded
from retspec.text.wording import signal_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from retspec.records import Plan, Report, Spec

BATCHES = frozenset({"batch", "take_batch"})
"""The parts of the subject that come from the data section."""


def run_under_pytest(request: pytest.FixtureRequest, spec: Path, **options: Any) -> Report:
    """Return what `retspec.run` returns; the batch may come from a fixture that `request` can see.

    A signal that ends the run ends the session of pytest. Raises what `retspec.run` raises, and SubjectError for a
    fixture that gives no batch.
    """
    spec = shown(spec)
    with _batch_handed_over(request, _planned(spec, options)):
        report = run(spec, **options)
    if report.interrupted:
        pytest.exit(f"interrupted by {signal_name(report.interrupted)}", returncode=report.exit_code)
    return report


def shown(path: Path) -> Path:
    """Return a path as messages should show it, from the working directory where it lies below."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def _planned(spec: Path, options: Mapping[str, Any]) -> list[Plan]:
    known = {"cells", "overrides", *Preparing.__annotations__}
    plans, _ = prepare_cells(spec, **{name: value for name, value in options.items() if name in known})
    return plans


@contextmanager
def _batch_handed_over(request: pytest.FixtureRequest, plans: Sequence[Plan]) -> Iterator[None]:
    """Evaluate the fixture that the spec names, if its batch is measured, and put it where the worker finds it.

    Cells that name different fixtures are refused: there is one batch for all.
    """
    specs = {plan.spec.data.value: plan.spec for plan in plans if _takes_from_a_fixture(plan)}
    if not specs:
        yield
        return
    if len(specs) > 1:
        raise UsageError(f"the cells name different fixtures, {', '.join(specs)}; select those of one with `cells`")
    ((name, spec),) = specs.items()
    made = request.getfixturevalue(name)
    with TemporaryDirectory(prefix="retspec-") as folder, pytest.MonkeyPatch.context() as patch:
        file = Path(folder) / "batch.safetensors"
        _write(made, file, spec)
        patch.setenv(VARIABLE, str(file))
        yield


def _takes_from_a_fixture(plan: Plan) -> bool:
    is_measured = any(BATCHES.intersection(step.inputs.values()) for step in plan.measurements)
    return plan.spec.data.source == fixture.name and is_measured


def _write(made: object, file: Path, spec: Spec) -> None:
    try:
        with seeded(spec.run.seed):
            hand_over(made, file, name=spec.data.value, batch_size=spec.train.batch_size)
    except SubjectError as error:
        raise SubjectError(f"{spec.marks.get(PATH, spec.file)}: {error}", path=PATH) from error
