"""Exit code 0 means that every selected criterion has a finite observation, made in this run, that keeps its limit.

What must come out is computed here a second time, from the data that a spec was written from: no code of the program
helps to decide whether the program is right.
"""

from __future__ import annotations

import copy
import operator
import sys
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retspec.engine.protocol import Finished, Job, encode
from retspec.engine.supervisor.protocol_check import ProtocolCheck
from retspec.engine.worker.work import work
from retspec.judge import judge
from retspec.prepare import prepare
from retspec.records import Observed, Report, Verdict
from retspec.report.live import LiveReport, opening
from retspec.running import run
from tests.here import Recorder
from tests.reliability.written import SEVERAL, written

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

HOLDS = {"at_most": operator.le, "at_least": operator.ge, "exactly": operator.eq}
NUMBERS = st.one_of(st.integers(-3, 3), st.floats(-3, 3, allow_subnormal=False))
ODD = [
    *("float('nan')", "float('inf')", "-float('inf')", "10**400", "1e308 * 10", "0.5j", "Decimal(1)", "Fraction(1, 2)"),
    *("True", "False", "None", "'1'", "b'1'", "(1,)", "[1]", "{}", "object", "print", "Observed(float('nan'))"),
    *("Observed(None)", "Observed(1, 5)", "Observed(1, {'at': float('nan')})", "1 / 0", "inconclusive()"),
]
ENDS = ["sys.exit(0)", "os._exit(0)", "os.closerange(0, 99)"]


def _behaviours(*ends: str) -> st.SearchStrategy[dict[str, Any]]:
    """A criterion: which check, what it does, under which limit."""
    return st.fixed_dictionaries(
        {
            "check": st.sampled_from(sorted(HOLDS)),
            "limit": NUMBERS,
            "with": st.fixed_dictionaries({"does": st.one_of(NUMBERS.map(repr), st.sampled_from([*ODD, *ends]))}),
        },
        optional={"skip": st.just("not today"), "severity": st.just("warn")},
    )


def _criteria(*ends: str) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Few in number: a list of many is red whatever is wrong with one of them."""
    healthy = st.builds(
        lambda number: {"check": "at_most", "limit": number, "with": {"does": repr(number)}}, st.integers(-3, 3)
    )
    return st.lists(st.one_of(healthy, _behaviours(*ends)), min_size=1, max_size=3)


def _finite(does: str) -> Fraction | None:
    """What a check observes, exactly, if that is a finite number."""
    known = {"Observed": Observed, "Decimal": Decimal, "Fraction": Fraction}
    try:
        value = eval(does, known)  # noqa: S307 - our own strings
    except (ArithmeticError, NameError):
        return None
    if isinstance(value, Observed):
        value = value.value if isinstance(value.details, dict) else None
    if isinstance(value, bool) or not isinstance(value, int | float | Fraction):
        return None
    return Fraction(value) if abs(value) <= sys.float_info.max else None


def _keeps(criterion: dict[str, Any]) -> bool | None:
    """Whether the limit is kept, or None if that cannot be said."""
    observed = _finite(criterion["with"]["does"])
    return None if observed is None else bool(HOLDS[criterion["check"]](observed, Fraction(criterion["limit"])))


def _expected(criteria: Sequence[dict[str, Any]]) -> int:
    """The exit code, from what the criteria promise and what their checks do."""
    judged = [criterion for criterion in criteria if "skip" not in criterion]
    kept = [_keeps(criterion) for criterion in judged]
    if any(
        keeps is False and criterion.get("severity") != "warn" for keeps, criterion in zip(kept, judged, strict=True)
    ):
        return 1
    return 3 if None in kept else 0 if judged else 5


def _called(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name.startswith("log-"))


def _require_honest(report: Report, criteria: Sequence[dict[str, Any]], folder: Path) -> None:
    assert report.exit_code == _expected(criteria), report
    running = [number for number, criterion in enumerate(criteria) if "skip" not in criterion]
    assert _called(folder) == [f"log-{number}" for number in running], "each check ran in this run, and only those"
    for result, criterion in zip(report.results, criteria, strict=True):
        if result.verdict is Verdict.MET:
            assert result.observed is not None
            assert "skip" not in criterion
            assert _keeps(criterion) is True
            assert Fraction(result.observed.value) == _finite(criterion["with"]["does"])  # type: ignore[arg-type]


def _spec(criteria: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """A spec whose every check notes that it was called."""
    checks = copy.deepcopy(list(criteria))
    for number, criterion in enumerate(checks):
        criterion["with"]["log"] = f"log-{number}"
    return {"retspec": 1, "plugins": ["checks.py"], "checks": {f"c{n}": entry for n, entry in enumerate(checks)}}


def _run_here(spec: Path) -> Report:
    """The whole flow in this process, with the worker's own code behind the protocol."""
    plan, catalog = prepare(spec, entry_points=False)
    job = Job(plan=plan, plugins=catalog.named, entry_points=False)
    recorder, live = Recorder(), LiveReport([opening(plan, catalog, strict=False)], catalog, {})
    work(msgspec.json.decode(encode(job), type=Job), recorder)  # type: ignore[arg-type]
    order = ProtocolCheck(plan)
    for message in recorder.messages:
        assert order.objection(message) == ""
        if isinstance(message, Finished):
            live.add(judge(plan.criterion(message.outcome.id), message.outcome))
    return live.close()


@SEVERAL
@given(criteria=_criteria())
def test_green_is_what_was_measured_and_keeps_its_limit(criteria: list[dict[str, Any]]) -> None:
    with written(_spec(criteria)) as spec, pytest.MonkeyPatch.context() as patch:
        patch.chdir(spec.parent)
        _require_honest(_run_here(spec), criteria, spec.parent)


@settings(SEVERAL, max_examples=8)
@given(criteria=_criteria(*ENDS))
def test_the_same_holds_across_processes_and_when_the_worker_ends_early(criteria: list[dict[str, Any]]) -> None:
    with written(_spec(criteria)) as spec, pytest.MonkeyPatch.context() as patch:
        patch.chdir(spec.parent)
        _require_honest(run(spec, entry_points=False), criteria, spec.parent)
