"""`run --watch`: each change is measured by processes that have seen nothing older."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from retspec.cli import main
from retspec.cli.again.files import WatchedFiles
from retspec.cli.again.watching import _counted, _WaitingRun
from retspec.prepare import prepare
from retspec.processes import descendants
from retspec.report.live import paths_among, read_by
from tests.processes import is_running
from tests.signals import hear_signals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.usefixtures("unmeasured_programs")

ROOT = Path(__file__).resolve().parents[2]
PLUGIN = """\
import os
from pathlib import Path

from retspec.plugin import Check, check, hookimpl


@check(direction="at most", advice="Nothing to do.")
def number() -> int:
    \"\"\"Which number does the helper have?\"\"\"
    import helper

    with Path("pids").open("a") as file:
        file.write(f"{os.getpid()}\\n")
    return helper.NUMBER


@hookimpl
def retspec_checks() -> list[Check]:
    return [number]
"""
SPEC = "retspec: 1\nplugins: [mine.py]\nchecks: {number: 1}\n"
MODEL = "model: {factory: 'torch.nn:Linear', kwargs: {in_features: 2, out_features: 2}}\n"


@pytest.fixture(autouse=True)
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"light.yaml": SPEC, "mine.py": PLUGIN, "helper.py": "NUMBER = 1\n"}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


@pytest.fixture
def watcher() -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "retspec", "run", "light.yaml", "--watch", "-s"]
    with Path("log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, preexec_fn=hear_signals)  # noqa: PLW1509 - the same
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def _wait(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 90
    while not condition():
        assert time.monotonic() < deadline, Path("log").read_text() if Path("log").exists() else "it takes too long"
        time.sleep(0.02)


def _after_runs(count: int) -> list[str]:
    """Return the log once so many runs are over and the next change is waited for."""
    _wait(lambda: Path("log").read_text().count("Ctrl-C ends") >= count)
    return Path("log").read_text().splitlines()


def test_what_changed_is_measured_by_a_process_that_loads_it_again(watcher: subprocess.Popen[bytes]) -> None:
    assert "number: met (1)" in _after_runs(1)
    Path("helper.py").write_text("NUMBER = 2\n")  # the same size
    lines = _after_runs(2)
    assert lines[lines.index("changed: helper.py") + 1] == "number: missed (2)", lines
    Path("light.yaml").write_text(SPEC.replace("number: 1", "numbr: 1"))
    assert "light.yaml:3:10: unknown check 'numbr'; did you mean 'number'?" in _after_runs(3)
    Path("mine.py").write_text(PLUGIN.replace("helper.NUMBER", "3").replace("at most", "at least"))
    Path("light.yaml").write_text(SPEC.replace("number: 1", "number: 4"))
    assert "number: missed (3)" in _after_runs(4)
    pids = Path("pids").read_text().split()
    assert len(set(pids)) == 3
    waiting = descendants(watcher.pid)
    assert waiting
    watcher.send_signal(signal.SIGINT)
    assert watcher.wait(60) == 1, "the exit code of the last run"
    _wait(lambda: not any(is_running(process.pid) for process in waiting))


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="it looks at what a process has loaded")
def test_the_worker_of_the_next_run_has_imported_torch_before_its_turn() -> None:
    Path("light.yaml").write_text(SPEC.replace("{number: 1}", "{number: 1, max_trainable_params: 9}") + MODEL)
    others = {*_below()}  # what other tests have left to fork programs from
    run = _WaitingRun(["run", "light.yaml", "--watch"], ("torch",))
    try:
        _wait(lambda: any(map(_has_torch, {*_below()} - others)))
        Path("helper.py").write_text("NUMBER = 0\n")
        run.go()
        assert run.finished() == 0
        (pid,) = Path("pids").read_text().split()
        assert (int(pid) in SEEN, run.libraries) == (True, ("torch",))
        assert {str(Path(name).absolute()) for name in ("helper.py", "light.yaml", "mine.py")} <= {*run.paths}
    finally:
        run.close()


def test_one_file_is_a_file() -> None:
    assert [*map(_counted, (0, 1, 1200))] == ["0 files", "1 file", "1,200 files"]


SEEN: set[int] = set()
"""The processes that had loaded torch."""


def _below() -> list[int]:
    return [process.pid for process in descendants(os.getpid())]


def _has_torch(pid: int) -> bool:
    try:
        found = "libtorch_cpu" in Path(f"/proc/{pid}/maps").read_text()
    except OSError:
        return False
    SEEN.update([pid] if found else [])
    return found


def test_a_run_says_which_folders_the_data_is_in() -> None:
    Path("images/train/a").mkdir(parents=True)
    Path("light.yaml").write_text(f"{SPEC}data: {{imagefolder: {{root: images}}}}\n")
    run = _WaitingRun(["run", "light.yaml", "--watch"], ())
    try:
        run.go()
        assert run.finished() == 0
        assert run.folders == [str(Path("images").absolute())]
    finally:
        run.close()


def test_a_run_that_never_has_its_turn_leaves_in_silence(capfd: pytest.CaptureFixture[str]) -> None:
    run = _WaitingRun(["run", "light.yaml", "--watch"], ())
    run.close()
    assert capfd.readouterr() == ("", "")
    assert run.code() == 0
    assert not Path("pids").exists()


# What is watched --------------------------------------------------------------------------------------------


def test_a_file_that_is_half_written_is_waited_for() -> None:
    spec = Path("light.yaml")
    looks = iter([lambda: spec.write_text(""), spec.exists, lambda: spec.write_text("retspec: 1\n"), spec.exists])

    def act() -> None:
        next(looks, spec.exists)()

    files = WatchedFiles([spec], act)
    files.begin()
    assert files.wait() == [str(spec.absolute())]
    assert spec.read_text() == "retspec: 1\n"
    assert next(looks, None) is None


def test_what_changes_while_a_run_works_starts_the_next_one() -> None:
    files = WatchedFiles([Path("light.yaml")])
    files.begin()
    helper = str(Path("helper.py").absolute())
    assert files.learn([helper], is_judged=True) == []
    files.begin()
    Path("helper.py").write_text("NUMBER = 3\n")
    assert files.learn([helper], is_judged=True) == [helper]


def test_a_file_that_the_runs_themselves_change_is_dropped_and_named() -> None:
    files = WatchedFiles([Path("light.yaml")])
    written = str(Path("written.txt").absolute())
    dropped = []
    for number in range(4):
        files.begin()
        Path("written.txt").write_text("x" * number)
        files.learn([written], is_judged=True)
        dropped.append(files.drop())
    assert [each for each in dropped if each] == [[written]]


def test_a_module_that_is_not_there_yet_is_noticed_beside_the_spec() -> None:
    files = WatchedFiles([Path("light.yaml")])
    files.begin()
    files.learn([], is_judged=False)
    Path("missing.py").touch()
    assert files.wait() == [str(Path("missing.py").absolute())]


def test_every_file_that_a_spec_names_is_watched_also_one_that_is_not_there() -> None:
    texts = {
        "base.yaml": "retspec: 1\nchecks: {min_class_count: 1}\n",
        "train.yaml": "epochs: 3\nvocabulary: words.txt\n",
        "words.txt": "none\n",
        "train.csv": "name,label\na.png,0\n",
        "light.yaml": "retspec: 1\nextends: base.yaml\nconfig: train.yaml\nplugins: [mine.py]\n"
        "data: {csv: {train: train.csv, test: test.csv, images: ., image_column: name, label_column: label}}\n"
        "checks: {missing_files: 0}\n",
    }
    for name, text in texts.items():
        Path(name).write_text(text)
    plan, _ = prepare("light.yaml")
    found = {path.name for path in paths_among(read_by(plan.spec), plan.spec.folders)}
    assert found >= {*texts, "mine.py", "test.csv"}


SHARDED = """\
retspec: 1
data: {webdataset: {train: "shards/train-{000..002}.tar", val: ["val-{a,b}.tar", val-c.tar]}}
checks: {missing_files: 0}
"""


def test_the_shards_that_a_pattern_stands_for_are_watched_also_those_that_are_not_there() -> None:
    Path("light.yaml").write_text(SHARDED)
    Path("shards").mkdir()
    for number in range(2):
        Path(f"shards/train-00{number}.tar").touch()
    plan, _ = prepare("light.yaml")
    found = {os.path.relpath(path) for path in paths_among(read_by(plan.spec), plan.spec.folders)}
    shards = {f"shards/train-00{number}.tar" for number in range(3)} | {f"val-{name}.tar" for name in "abc"}
    assert {path for path in found if path.endswith(".tar")} == shards


def test_a_report_never_replaces_a_shard(capsys: pytest.CaptureFixture[str]) -> None:
    Path("light.yaml").write_text(SHARDED)
    Path("shards").mkdir()
    Path("shards/train-001.tar").write_bytes(b"images")
    assert main(["run", "light.yaml", "--report", "json=shards/train-001.tar"]) == 2
    assert "would replace 'shards/train-001.tar', which is read" in capsys.readouterr().err
    assert Path("shards/train-001.tar").read_bytes() == b"images"


def test_a_pattern_of_too_many_shards_is_left_to_its_source() -> None:
    Path("light.yaml").write_text(SHARDED.replace("{000..002}", "{0..999999999}"))
    plan, _ = prepare("light.yaml")
    assert "val-a.tar" in {path.name for path in paths_among(read_by(plan.spec), plan.spec.folders)}
