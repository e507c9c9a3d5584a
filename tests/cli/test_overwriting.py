"""No report replaces another, or a file that is read, however its path is spelled."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("unmeasured_programs")

SPEC = """\
retspec: 1
extends: base.yaml
config: train.yaml
plugins: [mine.py]
data: {csv: {train: train.csv, images: images, image_column: name, label_column: label}}
checks:
  missing_files: {limit: 0, vs: baseline.json, max_regression: 1}
  config_values: {with: {schema: schema.json}}
"""
FILES = {
    "spec.yaml": SPEC,
    "base.yaml": "retspec: 1\nchecks: {min_class_count: 1}\n",
    "train.yaml": "epochs: 3\nvocabulary: words.txt\n",
    "words.txt": "none\n",
    "mine.py": "from retspec.plugin import hookimpl\n\n\n@hookimpl\ndef retspec_checks():\n    return []\n",
    "train.csv": "name,label\na.png,0\n",
    "schema.json": '{"properties": {"epochs": {"minimum": 1}}}',
    "baseline.json": "{}",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def valid(folder: Path, retspec: Any) -> Path:
    """A folder whose spec needs no baseline yet, and results of it."""
    spec = folder / "spec.yaml"
    spec.write_text(SPEC.replace(", vs: baseline.json, max_regression: 1", ""))
    (folder / "images").mkdir()
    (folder / "images" / "a.png").touch()
    assert retspec("run", spec, "--no-reports", "--json", folder / "results.json").code == 0
    return folder


@pytest.mark.parametrize("name", sorted(FILES.keys() - {"baseline.json"}))
def test_a_report_never_replaces_what_the_run_reads(valid: Path, retspec: Any, name: str) -> None:
    before = (valid / name).read_bytes()
    for option in (["--json", name], ["--junit-xml", f"images/../{name}"], ["--report", f"markdown=nowhere/../{name}"]):
        finished = retspec("run", "spec.yaml", "--no-reports", *option)
        assert (finished.code, finished.out) == (2, "")
        assert "which is read; write it somewhere else" in finished.err
        assert len(finished.err.splitlines()) == 1
        assert (valid / name).read_bytes() == before


@pytest.mark.parametrize("link", [os.symlink, os.link])
def test_a_link_to_a_file_is_that_file(valid: Path, retspec: Any, link: Any) -> None:
    link(valid / "train.csv", valid / "out.json")
    assert retspec("run", "spec.yaml", "--no-reports", "--json", "out.json").code == 2
    assert (valid / "train.csv").read_text() == FILES["train.csv"]


def test_a_baseline_that_is_held_against_is_not_replaced(valid: Path, retspec: Any) -> None:
    assert retspec("bless", "results.json", "--to", "baseline.json", "--reason", "first", "--who", "ada").code == 0
    (valid / "spec.yaml").write_text(SPEC)
    before = (valid / "baseline.json").read_bytes()
    assert retspec("run", "spec.yaml", "--no-reports", "--json", "baseline.json").code == 2
    assert (valid / "baseline.json").read_bytes() == before


@pytest.mark.parametrize("second", ["images/../out.x", "link.x"])
def test_two_reports_never_share_a_file(valid: Path, retspec: Any, second: str) -> None:
    (valid / "link.x").symlink_to("out.x")
    finished = retspec("run", "spec.yaml", "--no-reports", "--json", "out.x", "--junit-xml", second)
    assert finished.code == 2
    assert "are the same file; give each report its own path" in finished.err
    assert not (valid / "out.x").exists()


def test_the_reports_of_an_earlier_run_are_replaced(valid: Path, retspec: Any) -> None:
    for _ in range(2):
        assert retspec("run", "spec.yaml", "--json", "results.json", "--junit-xml", "junit.xml").code == 0
    assert json.loads((valid / "results.json").read_text())["exit_code"] == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["judge", "results.json", "--spec", "spec.yaml", "--json", "results.json"],
        ["judge", "results.json", "--spec", "spec.yaml", "--junit-xml", "spec.yaml"],
        ["bless", "results.json", "--to", "results.json", "--reason", "mine", "--who", "ada"],
        ["calibrate", "spec.yaml", "--results", "results.json", "-o", "results.json"],
        ["fit", "spec.yaml", "--memory", "1GB", "--json", "spec.yaml"],
        ["bless", "results.json", "--to", "spec.yaml", "--reason", "mine", "--who", "ada"],
        ["bless", "results.json", "--to", "other.json", "--reason", "mine", "--who", "ada"],
        ["calibrate", "spec.yaml", "--results", "results.json", "-o", "base.yaml"],
        ["calibrate", "spec.yaml", "--results", "results.json", "-o", "images/../mine.py"],
        ["init", "train.yaml", "--config", "train.yaml", "--force"],
        ["schema", "-p", "mine.py", "-o", "mine.py"],
        ["schema", "-o", "spec.yaml"],
        ["schema", "-o", "results.json"],
        ["report", "results.json", "-o", "./results.json"],
    ],
    ids=" ".join,
)
def test_other_commands_keep_what_they_read(valid: Path, retspec: Any, arguments: list[str]) -> None:
    (valid / "other.json").write_bytes((valid / "results.json").read_bytes())
    before = {path: path.read_bytes() for path in valid.iterdir() if path.is_file()}
    finished = retspec(*arguments)
    assert finished.code == 2, finished.err
    assert {path: path.read_bytes() for path in valid.iterdir() if path.is_file()} == before


@pytest.mark.parametrize("command", ["python train.py", "train.py", "python -m train", "python other.py data=train.py"])
def test_a_draft_never_replaces_what_is_watched(command: str, folder: Path, retspec: Any) -> None:
    for name in ("train.py", "other.py"):
        (folder / name).write_text("print()\n")
    finished = retspec("watch", "--write", "nowhere/../train.py", "--force", "--", *command.split())
    assert finished.code == 2, finished.err
    assert "which is read; write it somewhere else" in finished.err
    assert (folder / "train.py").read_text() == "print()\n"


@pytest.fixture
def in_job(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    return monkeypatch


@pytest.mark.parametrize("name", ["spec.yaml", "images/../mine.py", "train.csv"])
def test_the_summary_of_a_job_is_never_what_the_run_reads(
    name: str, valid: Path, retspec: Any, in_job: pytest.MonkeyPatch
) -> None:
    in_job.setenv("GITHUB_STEP_SUMMARY", name)
    before = (valid / name).read_bytes()
    finished = retspec("run", "spec.yaml", "--no-reports")
    assert (finished.code, finished.out) == (2, "")
    assert "which is read; write it somewhere else" in finished.err
    assert (valid / name).read_bytes() == before


def test_the_summary_of_a_job_is_no_report(valid: Path, retspec: Any, in_job: pytest.MonkeyPatch) -> None:
    in_job.setenv("GITHUB_STEP_SUMMARY", "out.json")
    for command in (["run", "spec.yaml", "--no-reports"], ["judge", "results.json", "--spec", "spec.yaml"]):
        finished = retspec(*command, "--json", "out.json")
        assert finished.code == 2
        assert "out.json" in finished.err
        assert not (valid / "out.json").exists()


def test_a_summary_that_is_a_pipe_is_not_waited_for(valid: Path, retspec: Any, in_job: pytest.MonkeyPatch) -> None:
    os.mkfifo(valid / "pipe")
    in_job.setenv("GITHUB_STEP_SUMMARY", "pipe")
    finished = retspec("run", "spec.yaml", "--no-reports")
    assert finished.code == 4
    assert "cannot write the summary pipe: No such device or address" in finished.err


@pytest.mark.parametrize("path", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "out.txt"])
def test_a_report_never_replaces_the_output(path: str, valid: Path) -> None:
    command = [sys.executable, "-m", "retspec", "run", "spec.yaml", "--no-reports", "--json", path]
    with (valid / "out.txt").open("w") as output:
        done = subprocess.run(command, stdout=output, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == f"Error: {path} is the file that the output goes to; give each report its own path\n"
    assert not [*valid.glob("*deleted*")]
