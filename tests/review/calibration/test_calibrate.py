"""Which observations a calibration rests on, and what it comes to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from retspec.cli import main
from retspec.errors import UsageError
from retspec.prepare import prepare
from retspec.review.calibration import require_as_meant
from tests.review.calibration.conftest import SHOWING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.review.calibration.conftest import Calibrated

    Calibrate = Callable[..., Calibrated]

pytestmark = pytest.mark.usefixtures("unmeasured_programs")

HEAD = "retspec: 1\nname: shown\nchecks:\n"


def _calibrate(path: Path, text: str, *arguments: str) -> int:
    """Calibrate by a run of its own, and return the exit code."""
    path.write_text(text)
    return main(["calibrate", str(path), "-p", SHOWING, "--no-plugins", *arguments])


def test_a_run_gives_the_observations(tmp_path: Path) -> None:
    """Every direction and type, measured now; what has no verdict is said and costs exit code 3."""
    spec = tmp_path / "spec.yaml"
    text = f"""{HEAD}
  most: {{limit: 90, with: {{value: 3.21}}}}  # MB
  most_count: {{limit: 1_000_000, with: {{value: 791_557}}}}
  zero: {{check: most_count, limit: 3}}
  least: {{limit: 1e-3, with: {{value: 0.31}}}}
  least_count: {{limit: 1, with: {{value: 24}}}}
  shape: [4, 5]
  most_share: 0.99
  hopeless: 0.5
"""
    assert _calibrate(spec, text) == 3
    assert spec.read_text() == (
        text.replace("limit: 90", "limit: 3.9")
        .replace("1_000_000", "950_000")
        .replace("limit: 3}", "limit: 0}")
        .replace("1e-3", "0.24")
        .replace("limit: 1,", "limit: 19,")
    )


@pytest.mark.parametrize(("margin", "limit"), [("0%", "20"), ("50%", "30"), ("99%", "40"), ("2.5%", "21")])
def test_the_margin_is_what_is_asked_for(calibrated: Calibrate, margin: str, limit: str) -> None:
    finished = calibrated(f"{HEAD}  most: 90\n", {"most": 20.0}, "--margin", margin)
    assert finished.text == f"{HEAD}  most: {limit}\n"


@pytest.mark.parametrize("margin", ["20", "0.2", "100%", "-5%", "%", "nan%"])
def test_what_is_no_margin_is_refused(calibrated: Calibrate, margin: str) -> None:
    finished = calibrated(f"{HEAD}  most: 90\n", {"most": 20.0}, f"--margin={margin}")
    assert finished.code == 2
    assert f"'{margin}' is none; write a percentage below 100%, such as 20%" in finished.err


def test_a_limit_that_its_type_refuses_is_not_proposed(calibrated: Calibrate) -> None:
    """A share of 0.9 with a fifth of room is more than all; the other criteria are calibrated all the same."""
    finished = calibrated(f"{HEAD}  most_share: 0.95\n  most: 90\n", {"most_share": 0.9, "most": 20.0}, "--loosen")
    assert (finished.code, finished.text) == (0, f"{HEAD}  most_share: 0.95\n  most: 24\n")
    assert finished.reason("most_share").startswith("1.1 cannot be its limit: ")


def test_a_limit_that_nothing_could_miss_is_not_proposed(calibrated: Calibrate) -> None:
    """A share of 0.8 with a quarter of room is all of it."""
    finished = calibrated(f"{HEAD}  most_share: 0.95\n", {"most_share": 0.8}, "--loosen", "--margin=25%")
    assert finished.text == f"{HEAD}  most_share: 0.95\n"
    assert finished.reason("most_share") == "1 cannot be its limit: nothing observed is above 1"


def test_only_what_is_selected_is_calibrated(calibrated: Calibrate) -> None:
    text = f"{HEAD}  most: 90\n  least: 0.1\n"
    finished = calibrated(text, {"most": 20.0, "least": 3.0}, "-k", "least")
    assert (finished.code, finished.text) == (0, text.replace("0.1", "2.4"))


def test_a_criterion_that_is_held_against_a_baseline_is_left_alone(calibrated: Calibrate, tmp_path: Path) -> None:
    text = f"{HEAD}  most: 90\n"
    calibrated(text, {"most": 20.0}, "--dry-run")
    blessing = ["--to", str(tmp_path / "baseline.json"), "--reason", "it is right", "--who", "me"]
    assert main(["bless", str(tmp_path / "results.json"), *blessing]) == 0
    held = f"{HEAD}  most: {{limit: 90, vs: baseline.json, max_regression: 5%}}\n"
    finished = calibrated(held, {"most": 20.0})
    assert (finished.code, finished.text) == (0, held)
    assert finished.reason("most") == "it is compared with a baseline"


@pytest.mark.parametrize(
    ("recorded", "code", "said"),
    [
        ({"faults": ("the checkpoint changed",)}, 3, "run: the checkpoint changed; nothing is written"),
        ({"interrupted": 2}, 130, "run: the run was interrupted by SIGINT; nothing is written"),
    ],
)
def test_no_limit_rests_on_a_run_that_went_wrong(
    calibrated: Calibrate, recorded: dict[str, Any], code: int, said: str
) -> None:
    text = f"{HEAD}  most: 90\n"
    finished = calibrated(text, {"most": 20.0}, **recorded)
    assert (finished.code, finished.text) == (code, text)
    assert said in finished.err


def test_results_about_another_subject_calibrate_nothing(calibrated: Calibrate) -> None:
    text = f"{HEAD}  most: 90\n"
    finished = calibrated(text, {"most": 20.0}, "--seed", "7")
    assert (finished.code, finished.text) == (3, text)
    assert finished.reason("most").startswith("no verdict: the results are about another subject")


def test_a_spec_that_is_edited_meanwhile_is_left_to_whoever_edits_it(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    spec = tmp_path / "spec.yaml"
    text = f"{HEAD}  meddles: {{limit: 9, with: {{path: {spec}}}}}\n"
    assert _calibrate(spec, text) == 2
    assert spec.read_text() == f"{text}# meanwhile\n"
    assert f"{spec} has changed while it was measured; nothing is written" in capfd.readouterr().err


@pytest.mark.parametrize(
    "after",
    [
        f"{HEAD}  most: 23\n  least: 1\n",
        f"{HEAD}  most: 90\n",
        f"{HEAD}  most: 90\n  least: 1\n  shape: [4, 5]\n",
        f"{HEAD}  most: {{limit: 90, severity: warn}}\n  least: 1\n",
    ],
)
def test_an_edit_that_did_anything_else_is_found_before_it_is_written(tmp_path: Path, after: str) -> None:
    specs = []
    for text in (f"{HEAD}  most: 90\n  least: 1\n", after):
        (tmp_path / "spec.yaml").write_text(text)
        specs.append(prepare(tmp_path / "spec.yaml", plugins=[SHOWING], entry_points=False)[0].spec)
    require_as_meant(specs[0], specs[0], [])
    with pytest.raises(UsageError, match="nothing is written"):
        require_as_meant(specs[0], specs[1], [])
