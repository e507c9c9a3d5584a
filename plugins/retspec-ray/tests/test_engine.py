"""Tasks on a real cluster: their files come back, what ends them is said, and nothing is left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from ray_tasks import NODE, SLEEPS, WITHOUT, are_gone, ctrl_c, ended, processes, said, scripted, until, with_needs
from retspec.executors import EngineError, Phase

from retspec_ray.engine import RayEngine
from retspec_ray.records import Needs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ray._private.node import Node
    from ray.cluster_utils import Cluster

FORGOTTEN = "Ray does not know it any more: the cluster, or its head node, was started again"
"""Said of a task whose desk has left: a second after all its tasks have ended and their files were fetched."""


def test_files_go_and_come_by_value_and_how_a_command_ended_is_said(engine: RayEngine, tmp_path: Path) -> None:
    last_words = "say(folder=str(folder), task=(folder / 'task.json').read_text()); print('done', flush=True);"
    scripts = ("", "sys.exit(3)", "os.kill(os.getpid(), signal.SIGKILL)")
    tasks = [scripted(tmp_path, last_words + script, name=f"{number:04}") for number, script in enumerate(scripts)]
    tasks.append(scripted(tmp_path, "say()", name="0003", cwd=tmp_path / "gone"))
    handles = engine.submit(tasks)
    missing = f"{tmp_path}/gone is not there; the working directory must be on each node, or name its place in "
    assert [ended(engine, handles[task.name]).reason for task in tasks] == [
        "",
        "",
        "killed by signal 9",
        missing + "`resources.cwd`",
    ]
    for task in tasks[:3]:
        content = json.loads((task.folder / "attempt-1/said.json").read_text())
        assert content["task"] == '{"asked": 1}'
        assert content["folder"] != str(task.folder)
        assert not Path(content["folder"]).exists()
        assert (task.folder / "output.txt").read_text() == "done\n"
    again = replace(tasks[0], script="say(files=sorted(path.name for path in folder.rglob('*.json')))")
    (handle,) = engine.submit([again]).values()
    assert ended(engine, handle).reason == ""
    assert json.loads((again.folder / "attempt-1/said.json").read_text())["files"] == ["said.json", "task.json"]


def test_files_come_while_it_runs_and_cancelling_leaves_nothing(engine: RayEngine, tmp_path: Path) -> None:
    tasks = [scripted(tmp_path, SLEEPS, name=f"{number:04}") for number in range(3)]
    handles = engine.submit(tasks)
    first, second = (said(engine, handles[task.name], task.folder) for task in _running(engine, handles, tasks))
    states = engine.states([*handles.values()])
    assert sorted(state.phase.name for state in states.values()) == ["RUNNING", "RUNNING", "WAITING"]
    assert {state.where for state in states.values()} == {"", os.uname().nodename}
    engine.cancel([*handles.values()])
    assert until(lambda: are_gone(first["pid"], first["orphan"], second["pid"], second["orphan"]))
    assert {ended(engine, handle).reason for handle in handles.values()} <= {"cancelled", FORGOTTEN}
    assert until(lambda: not processes("ray::Desk"))


def test_waiting_for_the_desk_gives_no_cores_away(engine: RayEngine, tmp_path: Path) -> None:
    counts = "number = 0\nwhile True: number += 1; say(number=number); time.sleep(0.1)"
    tasks = [scripted(tmp_path, counts, name=f"{number:04}") for number in range(3)]
    handles = engine.submit(tasks)
    first, second = _running(engine, handles, tasks)
    (desk,) = processes("ray::Desk")
    os.kill(desk, signal.SIGSTOP)
    time.sleep(5)  # within which both have more to tell it
    os.kill(desk, signal.SIGCONT)
    for task in (first, second):
        number = said(engine, handles[task.name], task.folder)["number"]
        until(lambda: said(engine, handles[task.name], task.folder)["number"] > number)  # noqa: B023 - it is over here
    states = engine.states([*handles.values()])
    assert sorted(state.phase.name for state in states.values()) == ["RUNNING", "RUNNING", "WAITING"]


def _running(engine: RayEngine, handles: dict[str, str], tasks: list[Any]) -> list[Any]:
    def running() -> list[Any] | None:
        states = engine.states([*handles.values()])
        found = [task for task in tasks if states[handles[task.name]].phase is Phase.RUNNING]
        return found if len(found) == 2 else None

    found: list[Any] = until(running)
    return found


def test_a_killed_worker_is_said_and_takes_its_command_with_it(engine: RayEngine, tmp_path: Path) -> None:
    task = scripted(tmp_path, SLEEPS)
    (handle,) = engine.submit([task]).values()
    pids = said(engine, handle, task.folder)
    for worker in processes("ray::measure"):
        os.kill(worker, signal.SIGKILL)
    assert ended(engine, handle).reason == "the process of Ray that had it was killed"
    assert until(lambda: are_gone(pids["pid"], pids["orphan"]))


@contextmanager
def larger_node(cluster: Cluster, *, on_ctrl_c: Any = signal.default_int_handler) -> Iterator[Node]:
    """A third node for a while, the only one with two cores."""
    with ctrl_c(on_ctrl_c):
        node = cluster.add_node(**{**NODE, "num_cpus": 2})
    try:
        yield node
    finally:
        if node in cluster.worker_nodes:
            cluster.remove_node(node, allow_graceful=False)


def test_a_dead_node_is_said_and_its_files_are_kept(cluster: Cluster, engine: RayEngine, tmp_path: Path) -> None:
    with larger_node(cluster) as node:
        engine = with_needs(engine, cores=2)
        task = scripted(tmp_path, SLEEPS)
        (handle,) = engine.submit([task]).values()
        pids = said(engine, handle, task.folder)
        cluster.remove_node(node, allow_graceful=False)
        assert ended(engine, handle).reason == "the node died"
        assert until(lambda: are_gone(pids["pid"], pids["orphan"]))


def test_a_task_is_cancelled_on_a_node_that_ignores_ctrl_c(cluster: Cluster, engine: RayEngine, tmp_path: Path) -> None:
    """As all does that a script starts in its background."""
    with larger_node(cluster, on_ctrl_c=signal.SIG_IGN):
        engine = with_needs(engine, cores=2)
        task = scripted(tmp_path, SLEEPS)
        (handle,) = engine.submit([task]).values()
        pids = said(engine, handle, task.folder)
        engine.cancel([handle])
        assert until(lambda: are_gone(pids["pid"], pids["orphan"]))
        assert ended(engine, handle).reason in {"cancelled", FORGOTTEN}


def test_a_task_has_its_hours_and_no_more(engine: RayEngine, tmp_path: Path) -> None:
    engine = with_needs(engine, hours=0.0015)
    task = scripted(tmp_path, SLEEPS)
    (handle,) = engine.submit([task]).values()
    assert ended(engine, handle).reason == "its 0.0015 hours are over"
    pids = json.loads((task.folder / "attempt-1/said.json").read_text())
    assert are_gone(pids["pid"], pids["orphan"])


def test_what_no_node_has_is_said_while_it_waits(engine: RayEngine, tmp_path: Path) -> None:
    engine = with_needs(engine, gpus=2)
    (handle,) = engine.submit([scripted(tmp_path, "say()")]).values()
    state = engine.states([handle])[handle]
    assert (state.phase, state.reason) == (Phase.WAITING, "no node of the cluster has cores: 1, gpus: 2")
    engine.cancel([handle])


def test_another_front_end_takes_up_what_one_left_whose_driver_was_killed(engine: RayEngine, tmp_path: Path) -> None:
    goes_on = tmp_path / "goes_on"
    script = f"say(step=1)\nwhile not Path({str(goes_on)!r}).exists(): time.sleep(0.1)\nsay(step=2)"
    task = scripted(tmp_path, script)
    (handle,) = engine.submit([task]).values()
    until(lambda: engine.states([handle])[handle].phase is Phase.RUNNING)
    process = engine._link._process
    assert process is not None
    process.kill()
    process.wait()
    with pytest.raises(EngineError, match=r"the connection to Ray at .* was lost"):
        engine.states([handle])
    other = with_needs(engine)
    assert other.states([handle])[handle].phase is Phase.RUNNING
    goes_on.touch()
    assert ended(other, handle).reason == ""
    assert json.loads((task.folder / "attempt-1/said.json").read_text()) == {"step": 2}
    until(lambda: with_needs(engine).states([handle])[handle].reason == FORGOTTEN)
    with_needs(engine).cancel([handle])


def test_a_cluster_that_is_not_there_is_an_error_of_one_line(tmp_path: Path) -> None:
    pytest.importorskip("ray", reason=WITHOUT)
    engine = RayEngine("127.0.0.1:1", Needs())
    with pytest.raises(EngineError) as raised:
        engine.submit([scripted(tmp_path, "say()")])
    assert str(raised.value).startswith("cannot connect to Ray at 127.0.0.1:1: ")
    assert "\n" not in str(raised.value)


def test_the_command_line_does_not_import_ray() -> None:
    script = "import retspec_ray, sys; print([name for name in sys.modules if name.partition('.')[0] == 'ray'])"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    found = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"
