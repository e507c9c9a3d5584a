"""A limit from an observation with an interval is one on its worse end, and says how many patients it is from."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from retspec.cli import main
from tests.review.calibration.conftest import SHOWING
from tests.review.calibration.showing import least_known, most_known
from tests.review.calibration.test_calibrate import HEAD

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from retspec.records import Observed
    from tests.review.calibration.conftest import Calibrated

    Calibrate = Callable[..., Calibrated]

SEEN: dict[str, Observed[Any]] = {"least_known": least_known(), "most_known": most_known()}


@pytest.mark.parametrize("judged", ["point", "bound"])
def test_the_limit_is_from_the_worse_end_and_judges_it(calibrated: Calibrate, judged: str) -> None:
    finished = calibrated(
        f"""{HEAD}
  least_known: {{limit: 0.1, judge: {judged}}}  # by patient
  most_known:
    judge: {judged}   # in years
    limit: 50
""",
        SEEN,
    )
    assert finished.text == (
        f"""{HEAD}
  least_known: {{limit: 0.64, judge: bound}}  # by patient
  most_known:
    judge: bound   # in years
    limit: 6
"""
    )
    assert "0.9 (0.8 to 0.95), 150 patients" in finished.out
    assert "4 (3 to 5), 300 images" in finished.out
    assert ("0.64, by the bound" in finished.out) is (judged == "point")
    assert finished.code == 0


def test_a_limit_on_the_point_is_left_alone_where_the_bound_has_no_stricter_one(calibrated: Calibrate) -> None:
    text = f"{HEAD}  least_known: {{limit: 0.7, judge: point}}\n"
    finished = calibrated(text, SEEN)
    assert (finished.text, finished.reason("least_known")) == (text, "it is stricter than 0.64 already")
    loosened = calibrated(text, SEEN, "--loosen")
    assert loosened.text == f"{HEAD}  least_known: {{limit: 0.64, judge: bound}}\n"


def test_an_interval_that_is_too_wide_for_its_limit_has_one_that_it_meets(calibrated: Calibrate) -> None:
    text = f"{HEAD}  least_known: {{limit: 0.85, judge: bound}}\n"
    finished = calibrated(text, SEEN)
    assert (finished.code, finished.text) == (3, text)
    assert "its interval is too wide; --loosen makes it" in " ".join(finished.out.split())
    loosened = calibrated(text, SEEN, "--loosen")
    assert (loosened.code, loosened.text) == (0, f"{HEAD}  least_known: {{limit: 0.64, judge: bound}}\n")


def test_too_few_patients_have_no_limit(calibrated: Calibrate) -> None:
    few = replace(least_known(), unseen="there are 12 patients", noise="there are 12 patients")
    text = f"{HEAD}  least_known: {{limit: 0.1, judge: bound}}\n"
    finished = calibrated(text, {"least_known": few}, "--loosen")
    assert (finished.code, finished.text) == (3, text)
    assert finished.reason("least_known").startswith("no verdict")


def test_what_another_file_says_of_judging_stays(calibrated: Calibrate, tmp_path: Path) -> None:
    base = "retspec: 1\nchecks: {least_known: {limit: 0.1, judge: point}}\n"
    (tmp_path / "base.yaml").write_text(base)
    text = "retspec: 1\nname: shown\nextends: base.yaml\nchecks:\n  least_known: {limit: 0.2}\n"
    finished = calibrated(text, SEEN)
    assert finished.text == text
    assert finished.reason("least_known") == "what is judged is written in another file"


def test_a_run_of_its_own_gives_intervals_too(tmp_path: Path) -> None:
    spec = tmp_path / "spec.yaml"
    spec.write_text(f"{HEAD}  least_known: {{limit: 0.1, judge: point}}\n")
    assert main(["calibrate", str(spec), "-p", SHOWING, "--no-plugins"]) == 0
    assert spec.read_text() == f"{HEAD}  least_known: {{limit: 0.64, judge: bound}}\n"
