"""`--seeds` on the command line, and what the screen says of noise that earlier runs have shown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from retspec.cli import main
from retspec.results.results_file import read_report
from tests.run.test_seeds import FIVE, SEEDED, table_in

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Invoked = Callable[..., tuple[int, str]]


@pytest.fixture
def invoked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Invoked:
    """Invoke a command on a spec whose observations are in a table."""
    monkeypatch.chdir(tmp_path)

    def call(command: str, *options: str, values: Sequence[object] = FIVE, limit: float = 0.5) -> tuple[int, str]:
        table = str(table_in(tmp_path, values))
        checks = {name: {"limit": limit, "with": {"table": table}} for name in ("at_least", "fixed_is")}
        checks["fixed_is"]["limit"] = 1
        Path("spec.yaml").write_text(json.dumps({"retspec": 1, "checks": checks}))
        code = main([command, "spec.yaml", "-p", SEEDED, "--no-plugins", *options])
        return code, "".join(capfd.readouterr())

    return call


def test_the_option_measures_under_so_many_seeds(invoked: Invoked) -> None:
    code, said = invoked("run", "--seeds", "5")
    assert code == 1
    assert "0.4 … 0.9 over 5 seeds, flips 1 of 5" in said
    assert "measuring drawn" in said
    assert "measuring seed 46: drawn" in said
    report = read_report(Path("reports/spec/results.json"))
    assert report.asked.overrides == ("run.seed_count=5",)
    assert not report.is_partial


def test_its_results_are_verified_under_as_many(invoked: Invoked, capfd: pytest.CaptureFixture[str]) -> None:
    invoked("run", "--seeds", "5")
    verified = ["verify", "reports/spec/results.json", "--spec", "spec.yaml", "-p", SEEDED, "--no-plugins"]
    assert main(verified) == 0
    said = capfd.readouterr().out
    assert said.startswith("?      overrides: the run had --seeds 5; ")
    assert "WRONG" not in said


@pytest.mark.parametrize("seeds", ["0", "-1", "many"])
def test_what_is_no_number_of_seeds_is_refused(invoked: Invoked, seeds: str) -> None:
    assert invoked("run", f"--seeds={seeds}")[0] == 2


def test_the_plan_says_what_is_measured_again(invoked: Invoked) -> None:
    code, said = invoked("plan", "--seeds", "5")
    assert code == 0
    assert "2 measurements for 2 criteria, 1 of them under each of 5 seeds: " in said
    (plan,) = json.loads(invoked("plan", "--seeds", "5", "--format", "json")[1])
    assert plan["seeds"] == [42, 43, 44, 45, 46]
    assert {step["name"]: step["varies"] for step in plan["measurements"]} == {"drawn": True, "fixed": False}
    assert "seeds" not in json.loads(invoked("plan", "--format", "json")[1])[0]


def test_runs_of_the_same_subject_show_the_noise_of_a_margin(invoked: Invoked) -> None:
    said = [invoked("run", values=[value])[1] for value in (0.53, 0.55, 0.51)]
    assert ["may flip" in each for each in said] == [False, False, True]
    assert "at_least: its margin 0.01 is within its noise 0.04 (3 runs): the verdict may flip; " in said[-1]


def test_a_run_under_several_seeds_shows_the_noise_of_later_margins(invoked: Invoked) -> None:
    invoked("run", "--seeds", "3", values=[0.51, 0.55, 0.59])
    assert "within its noise 0.08 (3 seeds of an earlier run): " in invoked("run", values=[0.51])[1]


def test_calibrate_measures_under_so_many_seeds(invoked: Invoked) -> None:
    code, said = invoked("calibrate", "--seeds", "5", "--false-alarm", "20%", "--dry-run", limit=0.1)
    assert code == 0
    assert "chance of a false alarm at most 20% a seed, by the worst of 5 seeds" in said
    code, said = invoked("calibrate", "--false-alarm", "1%")
    assert code == 2
    assert "--false-alarm needs --seeds 3 at least: one value says nothing about its noise" in said
