"""What a check may return: one finite number, or one exact value of its limit's kind. All else is no verdict."""

from __future__ import annotations

from pathlib import Path

import pytest

from retspec.prepare import prepare
from retspec.records import Report, Verdict
from retspec.review.recorded import judge_again, verify
from retspec.running import run
from tests.review.recorded import read_back
from tests.run.tools import result_of, spec_in, verdicts

GOOD = {
    "int": 1,
    "float": 0.5,
    "numpy float": 0.5,
    "numpy int": 1,
    "odd details": 0.5,
    "surrogate details": 0.5,
}

BAD = {
    "numpy bool": "the check returned np.False_ (bool",
    "numpy array": "the check returned array([0.]) (ndarray)",
    "nan": "the check returned nan (float); a check returns one finite number",
    "inf": "the check returned inf (float)",
    "minus inf": "the check returned -inf (float)",
    "numpy nan": "the check returned np.float64(nan) (float64)",
    "none": "the check returned None (NoneType)",
    "tensor": "the check returned tensor(0.5000) (Tensor)",
    "bool": "a check must return a finite number",
    "text": "a check must return a finite number",
    "tuple": "a check must return a finite number",
    "tuple of bools": "the check returned (False, True) (tuple)",
    "list of floats": "the check returned [0.5] (list)",
    "complex": "the check returned 1j (complex)",
    "very large": "OverflowError",
    "very large details": "the outcome cannot be recorded",
    "observed nan": "the check returned nan (float)",
    "no details": "the check returned details of type list; details are a mapping",
    "endless details": "the check returned details that are nested more than 64 deep",
}


PLUGIN = str(Path(__file__).with_name("values.py"))


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    cases = [*GOOD, *BAD]
    lines = [f'{named(what)}: {{check: returns, limit: 1, with: {{what: "{what}"}}}}' for what in cases]
    lines += ["returns_tuple: [1, 2]", "raises_surrogate: 1", "raises_inconclusive: 1", "runs_out_of_memory: 1"]
    spec = spec_in(tmp_path_factory.mktemp("values"), "\n".join(lines))
    return run(spec, plugins=[PLUGIN], entry_points=False)


def named(what: str) -> str:
    return what.replace(" ", "_")


def test_no_odd_value_kills_a_worker(report: Report) -> None:
    assert report.count(Verdict.CRASH, Verdict.NOT_RUN) == 0
    assert report.faults == ()


@pytest.mark.parametrize("what", GOOD)
def test_a_finite_number_is_judged_whoever_made_it(report: Report, what: str) -> None:
    result = result_of(report, named(what))
    assert (result.verdict, result.reason != "") == (Verdict.MET, True)
    assert result.observed is not None
    assert (result.observed.value, type(result.observed.value)) == (GOOD[what], type(GOOD[what]))


@pytest.mark.parametrize("what", BAD)
def test_anything_else_is_no_verdict(report: Report, what: str) -> None:
    """Each of these is at most 1, or not more than 1, in some reading; none is green."""
    result = result_of(report, named(what))
    assert result.verdict is Verdict.ERROR
    assert BAD[what] in result.reason


def test_details_become_plain_data(report: Report) -> None:
    observed = result_of(report, "odd_details").observed
    assert observed is not None
    assert observed.details == {"nan": "nan", "tensor": "tensor([1., 1.])", "3": {"inf": ["inf"]}, "numpy": "2.0"}


def test_details_that_utf_8_cannot_carry_are_spelled_out(report: Report) -> None:
    observed = result_of(report, "surrogate_details").observed
    assert observed is not None
    assert observed.details == {"file": r"\udcff.png"}


def test_a_list_of_integers_is_a_tuple(report: Report) -> None:
    assert verdicts(report)["returns_tuple"] is Verdict.MET


def test_what_cannot_be_written_in_utf_8_or_obeys_a_terminal_is_told_visibly(report: Report) -> None:
    reason = result_of(report, "raises_surrogate").reason
    assert reason.startswith(r"raised ValueError: cannot read scan-\udcff.png (values.py:")


def test_why_it_proves_nothing_is_told(report: Report) -> None:
    result = result_of(report, "raises_inconclusive")
    assert (result.verdict, result.reason) == (Verdict.INCONCLUSIVE, "there is nothing to see")


def test_running_out_of_memory_is_told_apart(report: Report) -> None:
    assert verdicts(report)["runs_out_of_memory"] is Verdict.OUT_OF_MEMORY


def test_what_was_recorded_is_judged_again_as_it_was_and_can_be_believed(report: Report) -> None:
    plan, _ = prepare(report.file, plugins=[PLUGIN], entry_points=False)
    recorded = read_back(report)
    assert verdicts(judge_again([plan], recorded)) == verdicts(report)
    assert [statement.text for statement in verify(recorded, [plan]) if not statement.holds] == []
