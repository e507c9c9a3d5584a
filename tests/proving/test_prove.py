"""`retspec prove`: what it plants, what it says, what it writes, how it ends."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from retspec.cli import main
from retspec.records import Flips, Proof, Spread, Tried, Verdict
from retspec.results.results_file import read_report

ABOUT_SCORES = ("scores_shuffled", "overconfident", "subgroup_failed")


def prove(gate: Path, *options: str) -> tuple[int, Proof]:
    code = main(["prove", str(gate), *options])
    return code, msgspec.json.decode((gate.parent / "reports" / "gate" / "proof.json").read_bytes(), type=Proof)


def faults(*names: str) -> list[str]:
    return [word for name in names for word in ("--fault", name)]


def test_each_fault_is_noticed_by_the_criteria_that_exist_for_it(gate: Path) -> None:
    code, proof = prove(gate, *faults(*ABOUT_SCORES))
    noticed = {trial.fault: set(trial.noticed_by) for trial in proof.trials}
    assert "min_auroc" in noticed["scores_shuffled"]
    assert noticed["overconfident"] == {"max_calibration_error"}
    assert "max_subgroup_gap" in noticed["subgroup_failed"]
    assert (code, proof.share) == (0, 1.0)
    assert {each.id for each in proof.never_fail} <= {"max_brier"}


def test_the_healthy_subject_is_measured_beside_them(gate: Path) -> None:
    _, proof = prove(gate, *faults("overconfident"))
    assert {each.answer.verdict for each in proof.criteria} == {Verdict.MET}


def test_a_fault_that_nothing_notices_comes_with_the_check_that_would(
    gate: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, proof = prove(gate, *faults("images_unpredicted"))
    assert [trial.fault for trial in proof.unnoticed] == ["images_unpredicted"]
    assert proof.unnoticed[0].checks == ("predictions_complete",)
    output = capsys.readouterr().out
    assert "images_unpredicted: A tenth of the images has no row" in output
    assert "→ predictions_complete would" in output
    assert output.endswith("0 of 1 plantable fault noticed, 4 criteria never fail\n")
    assert code == 0


def test_a_criterion_that_no_fault_turned_red_comes_with_a_limit_that_would_have(gate: Path) -> None:
    _, proof = prove(gate, *faults("scores_shuffled"), "--set", "checks.max_brier.limit=0.9")
    idle = {each.id: each for each in proof.never_fail}
    brier = idle["max_brier"]
    worst = proof.trials[0].answers["max_brier"].value
    assert isinstance(brier.answer.value, float)
    assert isinstance(brier.would_notice, float)
    assert isinstance(worst, float)
    assert brier.answer.value < brier.would_notice < worst


def test_what_is_red_without_a_fault_notices_none(gate: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, proof = prove(gate, *faults("scores_shuffled"), "--set", "checks.min_auroc.limit=0.9999")
    assert "min_auroc" not in proof.trials[0].noticed_by
    assert "not met without a fault" in capsys.readouterr().out


def test_a_gate_that_is_red_throughout_is_refused(gate: Path, capsys: pytest.CaptureFixture[str]) -> None:
    red = [f"--set=checks.{name}" for name in ("min_auroc.limit=0.9999", "max_brier.limit=0.0001")]
    assert main(["prove", str(gate), *red, "-k", "min_auroc", "-k", "max_brier"]) == 2
    assert "no criterion of" in capsys.readouterr().err


def test_faults_that_nothing_reads_are_listed_apart_and_do_not_count(gate: Path) -> None:
    _, proof = prove(gate)
    apart = {trial.fault: trial for trial in proof.trials if trial.tried is Tried.UNFIT}
    assert "adapter_frozen" in apart
    assert apart["adapter_frozen"].reason == "the spec has no model"
    assert apart["image_missing"].reason == "the data is no list of files"
    assert apart["zero_grad_missing"].reason == "the training is no script or trainer of your own"
    assert {trial.fault for trial in proof.planted} >= {*ABOUT_SCORES, "score_is_nan", "images_repeated"}


def test_likely_mistakes_come_first_and_the_budget_ends_the_rest(gate: Path) -> None:
    code, proof = prove(gate, "--budget", "0s")
    assert {trial.tried for trial in proof.trials} == {Tried.UNFIT, Tried.LEFT_OUT}
    assert code == 3
    planned = [trial.fault for trial in proof.trials if trial.tried is Tried.LEFT_OUT]
    assert planned.index("scores_shuffled") < planned.index("one_answer") < planned.index("subgroup_too_small")


@pytest.mark.parametrize(("share", "code"), [("0.5", 0), ("0.6", 1)])
def test_a_share_that_has_to_be_noticed(gate: Path, share: str, code: int) -> None:
    assert prove(gate, *faults("overconfident", "images_unpredicted"), "--min-noticed", share)[0] == code


def test_a_fault_that_is_none_is_refused(gate: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prove", str(gate), "--fault", "scores_shufled"]) == 5
    assert "did you mean 'scores_shuffled'?" in capsys.readouterr().err


def test_a_matrix_is_proven_one_cell_at_a_time(gate: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec = yaml.safe_load(gate.read_text()) | {"matrix": {"run.seed": [1, 2]}}
    gate.write_text(yaml.safe_dump(spec))
    assert main(["prove", str(gate)]) == 2
    assert "choose it by --cell: seed=1, seed=2" in capsys.readouterr().err
    assert main(["prove", str(gate), "--cell", "seed=2", *faults("overconfident")]) == 0


def test_the_list_names_every_fault(gate: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prove", str(gate), "--list"]) == 0
    output = capsys.readouterr().out
    assert "overconfident" in output
    assert "adapter_frozen" in output
    assert not (gate.parent / "reports").exists()


def test_the_badge_is_one_for_an_endpoint_of_shields(gate: Path) -> None:
    prove(gate, *faults("overconfident"), "--badge", "badge.json")
    badge = json.loads(Path("badge.json").read_text())
    assert badge == {"schemaVersion": 1, "label": "faults noticed", "message": "1 of 1", "color": "brightgreen"}


def test_as_json_and_markdown(gate: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["prove", str(gate), *faults("overconfident"), "--format", "json", "--no-reports"])
    assert json.loads(capsys.readouterr().out)["trials"][0]["noticed_by"] == ["max_calibration_error"]
    main(["prove", str(gate), *faults("overconfident"), "--format", "markdown", "--no-reports"])
    assert "| overconfident | " in capsys.readouterr().out
    assert not (gate.parent / "reports").exists()


def reports(gate: Path, *options: str) -> dict[str, str]:
    main(["run", str(gate), "--report", "markdown=summary.md", *options])
    folder = gate.parent / "reports" / "gate"
    return {
        path.suffix: path.read_text()
        for path in (Path("summary.md"), folder / "junit.xml", folder / "results.json", folder / "report.html")
    }


def test_the_next_reports_of_the_same_spec_show_the_score(gate: Path) -> None:
    prove(gate, *faults("overconfident", "images_unpredicted"))
    found = reports(gate)
    score = "1 of 2 plantable faults noticed, 3 criteria never fail"
    assert score in found[".md"]
    assert f'name="proof" value="{score}"' in found[".xml"]
    assert json.loads(found[".json"])["proof"]["name"] == "gate"
    assert score in found[".html"]
    assert "Faults that were planted" in found[".html"]
    assert main(["judge", "reports/gate/report.html", "--spec", str(gate)]) == 0


def test_reports_of_a_changed_spec_do_not_show_it(gate: Path) -> None:
    prove(gate, *faults("overconfident"))
    found = reports(gate, "--set", "checks.max_brier.limit=0.2")
    assert not [name for name, text in found.items() if "plantable" in text]
    assert "proof" not in json.loads(found[".json"])


def test_a_damaged_proof_is_ignored(gate: Path) -> None:
    prove(gate, *faults("overconfident"))
    (gate.parent / "reports" / "gate" / "proof.json").write_text('{"name": ')
    assert "plantable" not in reports(gate)[".md"]


OWN = '''
from retspec.faults import DoesNotApply, Fault, Frequency, fault
from retspec.plugin import hookimpl
from msgspec.structs import replace

@fault(families="predictions", noticed_by="min_auroc", frequency=Frequency.OFTEN)
def scores_halved(predictions):
    """The scores are the same for all."""
    table = predictions.judged
    same = replace(table, scores=table.scores * 0 + 1 / table.scores.shape[1])
    return replace(predictions, tables={**predictions.tables, predictions.split: same})

@fault(families="predictions", noticed_by="min_auroc")
def never_here(predictions):
    """It is about something else."""
    raise DoesNotApply("there is no such thing")

@hookimpl
def retspec_faults() -> list[Fault]:
    return [scores_halved, never_here]
'''


def test_a_fault_of_a_plugin_is_planted(gate: Path) -> None:
    Path("own.py").write_text(OWN)
    _, proof = prove(gate, "-p", "own.py", *faults("scores_halved", "never_here"))
    own = {trial.fault: trial for trial in proof.trials}
    assert "min_auroc" in own["scores_halved"].noticed_by
    assert (own["never_here"].tried, own["never_here"].reason) == (Tried.UNFIT, "there is no such thing")


def test_an_ordinary_run_can_plant_one(gate: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(gate), "--set", "run.fault=overconfident", "--no-reports"]) == 1
    assert main(["run", str(gate), "--set", "run.fault=overconfidant", "--no-reports"]) == 2
    assert "did you mean 'overconfident'?" in capsys.readouterr().err


def test_a_run_whose_fault_is_planted_nowhere_is_not_green(gate: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(gate), "--set", "run.fault=adapter_frozen", "--no-reports"]) == 3
    assert "was planted nowhere" in capsys.readouterr().out


FLIPPING = '''
import os
from pathlib import Path
from retspec.plugin import Check, Cost, Measurement, check, hookimpl, measurement

@measurement(cost=Cost.STATIC, needs_torch=False)
def turns(config) -> int:
    """How often it was asked."""
    path = Path("turns.txt")
    turns = len(path.read_text()) if path.exists() else 0
    path.write_text("x" * (turns + 1))
    return turns

@check(direction="at most", advice="Wait.")
def every_third(turns) -> int:
    """Is it the third time?"""
    return turns % 3

@check(direction="at most", advice="Wait.")
def always_same(turns) -> int:
    """Is it the same?"""
    return 0

@hookimpl
def retspec_checks() -> list[Check]:
    return [every_third, always_same]

@hookimpl
def retspec_measurements() -> list[Measurement]:
    return [turns]
'''


def test_what_flips_without_a_fault_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("flipping.py").write_text(FLIPPING)
    Path("config.yaml").write_text("a: 1\n")
    spec: dict[str, Any] = {"retspec": 1, "plugins": ["flipping.py"], "config": "config.yaml"}
    Path("gate.yaml").write_text(yaml.safe_dump({**spec, "checks": {"every_third": 1, "always_same": 0}}))
    # The proof itself takes the first turn, and no fault can touch a plugin's check of the config.
    assert main(["prove", "gate.yaml", "--aa", "6"]) == 3
    proof = msgspec.json.decode(Path("reports/gate/proof.json").read_bytes(), type=Proof)
    assert proof.flips is not None
    assert (proof.flips.runs, proof.flips.flipped, dict(proof.flips.criteria)) == (6, 2, {"every_third": 2})
    assert proof.flips.observed == {
        "every_third": Spread(runs=6, least=0.0, median=1.0, greatest=2.0, deviation=pytest.approx(0.8944, abs=1e-4)),
        "always_same": Spread(runs=6, least=0.0, median=0.0, greatest=0.0, deviation=0.0),
    }
    assert "every_third: 0 … 2, median 1, in 6 runs" in capsys.readouterr().out

    # The next reports of the spec know it: the margin of this run is 0 or 1, and its noise 1.789.
    assert main(["run", "gate.yaml"]) in {0, 1}
    output = capsys.readouterr().out
    assert "is within its noise 1.789 (6 runs of `retspec prove --aa`): the verdict may flip" in output
    assert output.count("noise") == 1
    assert main(["run", "gate.yaml", "--set", "checks.every_third=5"]) == 0
    assert "noise" not in capsys.readouterr().out  # another spec is not the one that was proven


def test_a_proof_of_an_earlier_retspec_is_read(gate: Path, capsys: pytest.CaptureFixture[str]) -> None:
    prove(gate, *faults("overconfident"), "--aa", "2")
    path = gate.parent / "reports" / "gate" / "proof.json"
    written = json.loads(path.read_text())
    written["flips"] = {"runs": 2, "flipped": 0, "criteria": {}, "spreads": {"max_brier": 0.5}}
    path.write_text(json.dumps(written))
    capsys.readouterr()
    main(["run", str(gate)])
    proof = read_report(path.with_name("results.json")).proof
    assert proof is not None
    assert proof.flips == Flips(runs=2, flipped=0)
    assert "noise" not in capsys.readouterr().out


def test_a_gate_that_flips_is_not_good_enough(gate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, proof = prove(gate, *faults("overconfident"), "--aa", "2", "--min-noticed", "1")
    assert (code, proof.flips is not None and proof.flips.flipped) == (0, 0)
    from retspec.cli import prove as command

    monkeypatch.setattr(command, "flips", lambda *_arguments: Flips(runs=2, flipped=1))
    assert prove(gate, *faults("overconfident"), "--aa", "2", "--min-noticed", "1")[0] == 1
