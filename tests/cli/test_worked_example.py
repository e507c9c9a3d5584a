"""The example of `docs/review.md`, step by step, with its own words."""

from __future__ import annotations

import re
import subprocess
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from retspec.prepare import prepare
from retspec.records import Verdict
from retspec.review.recorded import judge_again
from retspec.running import run
from tests.house.refresh import ROOT

if TYPE_CHECKING:
    from retspec.records import Report

pytestmark = pytest.mark.usefixtures("unmeasured_programs", "warm_programs")

PAGE = ROOT / "docs" / "review.md"
SPEC, CONFIG = Path("specs/lora.yaml"), Path("configs/lora.yaml")


def blocks() -> dict[str, str]:
    """Return the blocks of YAML in the page whose first line names a file."""
    page = PAGE.read_text(encoding="utf-8")
    return dict(re.findall(r"^```yaml\n# (\S+\.yaml(?:, instead)?)\n(.*?)^```$", page, re.DOTALL | re.MULTILINE))


@pytest.fixture
def pull_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The repository, its main branch as in the page, and the rank raised in the working tree."""
    monkeypatch.chdir(tmp_path)
    for path in (SPEC, CONFIG):
        path.parent.mkdir()
        path.write_text(blocks()[str(path)])
    identity = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    for command in (("init", "-q", "-b", "main", "."), ("add", "."), ("commit", "-qm", "first")):
        subprocess.run(["git", *identity, *command], check=True, capture_output=True)
    edit(CONFIG, "r: 8", "r: 16")
    return tmp_path


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def gate(retspec: Any) -> Any:
    return retspec("diff", f"main:{SPEC}", SPEC, "--forbid-loosening")


@pytest.mark.usefixtures("pull_request")
def test_a_loosened_limit_is_stopped_and_the_page_shows_how(retspec: Any) -> None:
    edit(SPEC, "100_000", "200_000")
    edit(SPEC, "1e-5", "1e-2")
    stopped = gate(retspec)
    assert stopped.code == 1
    page = " ".join(PAGE.read_text(encoding="utf-8").split())
    for line in [*stopped.out.splitlines(), *stopped.err.splitlines()]:
        assert line.startswith("---") or " ".join(line.split()) in page


@pytest.mark.usefixtures("pull_request")
def test_a_waiver_passes_and_is_red_after_its_day(retspec: Any) -> None:
    edit(SPEC, "  max_trainable_params: 100_000\n", blocks()[f"{SPEC}, instead"])
    passed = gate(retspec)
    assert (passed.code, passed.err) == (0, "")
    assert "WAIVED" in passed.out
    select = ["max_trainable_params"]
    ran = run(SPEC, select=select, entry_points=False, today=date(2027, 1, 31))
    assert outcome(ran) == (0, Verdict.WAIVED)
    plan, _ = prepare(SPEC, select=select, entry_points=False)
    assert outcome(judge_again([plan], ran, today=date(2027, 2, 1))) == (1, Verdict.MISSED)


def outcome(report: Report) -> tuple[int, Verdict]:
    return report.exit_code, report.every_result[0].verdict


@pytest.mark.usefixtures("pull_request")
def test_judging_the_recorded_run_again_says_the_same(retspec: Any) -> None:
    ran = run(SPEC, entry_points=False, reports={"json": "results.json"})
    judged = retspec("judge", "results.json", "--spec", SPEC, "--no-plugins", "--json", "again.json")
    assert judged.code == ran.exit_code == 1
    assert "results.json" in [path.name for path in Path().iterdir()]
    assert {result.criterion.id: result.verdict for result in ran.results} == {
        "max_trainable_params": Verdict.MISSED,
        "merge_atol": Verdict.MET,
    }
