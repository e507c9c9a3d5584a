"""What can be believed of results: each way to doctor them is found."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from retspec.errors import UsageError
from retspec.records import (
    Blessing,
    Config,
    Direction,
    Model,
    Observed,
    Outcome,
    Plan,
    PredictionFiles,
    Recipe,
    Report,
    Severity,
    Verdict,
)
from retspec.results.prediction_hashes import prediction_hashes
from retspec.review.recorded import bless, verify
from tests.report.formats.sample import criterion
from tests.review.recorded import plan_of, read_back, run_of

if TYPE_CHECKING:
    from pathlib import Path

PLAN = plan_of(
    criterion("drop"),
    criterion("atol", 1e-5, direction=Direction.AT_MOST),
    criterion("shape", (4, 5), direction=Direction.EQUAL),
    criterion("broken"),
    criterion("later", skip="not today"),
)
OUTCOMES = [
    Outcome(id="drop", observed=Observed(0.31)),
    Outcome(id="atol", observed=Observed(2e-6)),
    Outcome(id="shape", observed=Observed((4, 5))),
    Outcome(id="broken", failure=Verdict.CRASH, reason="SIGSEGV"),
]
GENUINE = run_of(PLAN, OUTCOMES)
BLESSING = Blessing(who="me", reason="it is right", when="2026-01-15T09:30:00")


def doctored(index: int = 0, **changes: object) -> Report:
    results = [*GENUINE.results]
    results[index] = replace(results[index], **changes)
    return replace(GENUINE, results=tuple(results))


def wrong(recorded: Report, checkpoint: Path | None = None) -> list[str]:
    return [each.text for each in verify(recorded, [PLAN], checkpoint) if not each.holds]


def test_genuine_results_are_believed_red_or_green() -> None:
    assert wrong(read_back(GENUINE)) == []
    assert verify(GENUINE, [PLAN])[-1].text.startswith(
        "verdicts: all 5 follow from what is recorded; 5 criteria: 2 met"
    )


@pytest.mark.parametrize(
    ("recorded", "says"),
    [
        (doctored(verdict=Verdict.MET), "drop: recorded as met, but it is missed: drop = 0.31"),
        (doctored(observed=Observed(0.9)), "drop: recorded as missed, but it is met"),
        (doctored(3, verdict=Verdict.MET), "broken: recorded as met, but it is error: the check returned nothing"),
        (doctored(4, verdict=Verdict.MET), "later: recorded as met, but it is skipped: not today"),
        (doctored(criterion=criterion("drop", 0.1), verdict=Verdict.MET), "drop: recorded as met, but it is missed"),
        (doctored(criterion=criterion("drop", arguments={"steps": 9})), "but it is not run: its arguments differ"),
        (replace(GENUINE, results=GENUINE.results[1:]), "drop: the spec asks for it, and the results do not hold it"),
        (
            replace(GENUINE, results=(*GENUINE.results, replace(GENUINE.results[0], criterion=criterion("more")))),
            "more: the results hold it, and the spec does not ask for it",
        ),
    ],
)
def test_a_verdict_that_does_not_follow_is_named(recorded: Report, says: str) -> None:
    (told,) = wrong(recorded)
    assert says in told


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("spec_sha256", "0" * 64, "spec: SHA-256 5e5e"),
        ("spec_sha256", "", "but the results name none"),
        ("subject_sha256", "0" * 64, "subject: the SHA-256 is not that of the subject recorded beside it"),
        ("subject_sha256", "", "subject: SHA-256 "),
    ],
)
def test_another_spec_and_another_subject_are_named(field: str, value: str, says: str) -> None:
    (told,) = wrong(replace(GENUINE, provenance=replace(GENUINE.provenance, **{field: value})))
    assert says in told


def test_a_forged_name_stays_on_its_line() -> None:
    forged = doctored(criterion=criterion("drop\nok     verdicts: \x1b[32mall follow"))
    assert all(len(text.splitlines()) == 1 and "\x1b" not in text for text in wrong(forged))


def test_results_of_another_subject_say_nothing_about_this_one() -> None:
    other = run_of(plan_of(*PLAN.spec.criteria, train=Recipe(lr=0.1)), OUTCOMES)
    assert any(text.startswith("subject: SHA-256") for text in wrong(other))
    assert any(text.startswith("drop: recorded as missed, but it is not run") for text in wrong(other))


def test_the_checkpoint_is_compared_by_its_content(tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    path.write_bytes(b"weights")
    sha256 = hashlib.sha256(b"weights").hexdigest()
    about = replace(GENUINE, provenance=replace(GENUINE.provenance, checkpoint_sha256=sha256))
    assert wrong(about, path) == []
    path.write_bytes(b"others")
    assert wrong(about, path)[0].endswith(f"but the results are about {sha256}")
    assert wrong(GENUINE, path)[0].endswith("but the results name none")
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        verify(about, [PLAN], tmp_path / "gone.pth")


@pytest.fixture
def gate(tmp_path: Path) -> Plan:
    (tmp_path / "test.csv").write_text("image,label,p\na,1,0.9\n")
    (tmp_path / "list.csv").write_text("image\na\n")
    (tmp_path / "weights.pth").write_bytes(b"weights")
    predictions = PredictionFiles(csv="test.csv", id="image", label="label", scores=["p"])
    return plan_of(
        criterion("complete", arguments={"listed_in": "list.csv"}),
        file=str(tmp_path / "spec.yaml"),
        predictions=predictions,
        model=Model(source="timm", value="resnet18", checkpoint="weights.pth"),
    )


def about_files(gate: Plan, **changes: object) -> Report:
    """Return results of what is in the folder of a spec by now."""
    recorded = run_of(gate, [Outcome(id="complete", observed=Observed(0.9))])
    known = {"predictions_sha256": prediction_hashes(gate), "checkpoint_sha256": hashlib.sha256(b"weights").hexdigest()}
    return read_back(replace(recorded, provenance=replace(recorded.provenance, **{**known, **changes})))


@pytest.mark.parametrize("file", ["test.csv", "list.csv", "weights.pth"])
def test_every_file_that_was_measured_is_compared(gate: Plan, tmp_path: Path, file: str) -> None:
    recorded = about_files(gate)
    assert [each.text for each in verify(recorded, [gate]) if not each.holds or each.is_open] == []
    (tmp_path / file).write_text("image,label,p\na,1,0.1\n")
    (told,) = [each.text for each in verify(recorded, [gate]) if not each.holds]
    assert told.startswith(f"{'checkpoint' if file == 'weights.pth' else file}: SHA-256 ")
    (tmp_path / file).unlink()
    (told,) = [each.text for each in verify(recorded, [gate]) if not each.holds or each.is_open]
    assert "not compared" in told if file == "weights.pth" else "not there to be compared" in told


def test_results_without_a_hash_of_what_the_spec_reads_are_not_believed(gate: Plan) -> None:
    recorded = about_files(gate, predictions_sha256={"list.csv": prediction_hashes(gate)["list.csv"]})
    (told,) = [each.text for each in verify(recorded, [gate]) if not each.holds]
    assert told.endswith("but the results name none")


def test_another_training_config_is_named(gate: Plan) -> None:
    config = Config(file="train.yaml", sha256="c" * 64)
    plan = replace(gate, spec=replace(gate.spec, config=config))
    told = [each.text for each in verify(about_files(gate), [plan]) if not each.holds]
    assert told == [f"config: SHA-256 {'c' * 64}, but the results name none"]


# Blessing: only what is green and can be believed becomes a baseline --------------------------------------

GREEN = run_of(plan_of(*(step.criterion for step in PLAN.checks[1:3])), OUTCOMES[1:3])


def test_the_numbers_of_green_results_become_a_baseline() -> None:
    baseline = bless(read_back(GREEN), BLESSING)
    assert {name: blessed.value for name, blessed in baseline.values.items()} == {"atol": 2e-6}
    assert baseline.subject_sha256 == GREEN.provenance.subject_sha256
    assert baseline.blessed == BLESSING


@pytest.mark.parametrize(
    ("recorded", "says"),
    [
        (GENUINE, "these results are not green: their exit code is 1"),
        (run_of(plan_of(criterion()), [OUTCOMES[3]]), "their exit code is 3"),
        (replace(GREEN, interrupted=2), "their exit code is 130"),
        (replace(GREEN, results=GREEN.results[1:]), "there is nothing to bless"),
        (
            replace(GREEN, provenance=replace(GREEN.provenance, subject_sha256="")),
            "these results do not say what they are about",
        ),
        (
            replace(GREEN, results=(replace(GREEN.results[0], observed=Observed(1.0)), GREEN.results[1])),
            "atol is recorded as met, but its observation makes it missed",
        ),
        (
            replace(GREEN, results=tuple(replace(result, verdict=Verdict.WARNED) for result in GREEN.results)),
            "atol is recorded as warned, but its observation makes it met",
        ),
    ],
)
def test_what_is_not_green_or_not_genuine_is_never_blessed(recorded: Report, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        bless(recorded, BLESSING)


def test_a_warning_can_be_blessed_unless_the_run_was_strict() -> None:
    plan = plan_of(criterion(limit=1.0, severity=Severity.WARN))
    outcome = [Outcome(id="loss_drop", observed=Observed(0.9))]
    assert bless(run_of(plan, outcome), BLESSING).values["loss_drop"].value == 0.9
    with pytest.raises(UsageError, match="exit code is 1"):
        bless(run_of(plan, outcome, strict=True), BLESSING)
