"""Tasks on a real cluster of two nodes: what becomes of them, and what the engine says of it."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

import pytest
from retspec.executors import OUTPUT, EngineError, Phase, State
from slurm_cluster import CONTROLLER, LARGEST_ARRAY, NODES, wait_until
from slurm_tasks import state_of, tasks, wait_for

from retspec_slurm import commands, engine
from retspec_slurm.resources import slurm as slurm_with

if TYPE_CHECKING:
    from pathlib import Path

    from slurm_cluster import Cluster

HEARS = """
trap 'echo heard >> "$1/heard"; exit 0' TERM
echo >> "$1/started"
while :; do sleep 0.1; done
"""
"""Runs until it gets SIGTERM."""


def started(below: Path, times: int = 1) -> None:
    file = below / "0000/started"
    wait_until(lambda: file.exists() and len(file.read_text()) == times, "the task to start")


def test_a_task_runs_in_its_folder_under_any_name(slurm: Cluster, tmp_path: Path) -> None:
    below = tmp_path / "with 'quotes\", $spaces %j\r\nand\nlines"
    given = tasks(below, 'echo "$1"; pwd; echo errors >&2', "exit 3")
    found = slurm_with()
    handles = found.submit(given)
    assert wait_for(found, handles["0000"], Phase.ENDED).reason == ""
    assert (below / "0000" / OUTPUT).read_bytes().decode() == f"{below}/0000\n{below}\nerrors\n"
    state = wait_for(found, handles["0001"], Phase.ENDED)
    assert state.where in NODES
    assert state.reason == "FAILED: the command ended with exit code 3"
    assert not slurm.jobs


@pytest.mark.usefixtures("slurm")
def test_a_task_runs_where_its_output_cannot_be_written(tmp_path: Path) -> None:
    given = tasks(tmp_path, 'touch "$1/done"; echo lost')
    (given[0].folder / OUTPUT).mkdir()
    found = slurm_with()
    assert wait_for(found, found.submit(given)["0000"], Phase.ENDED).reason == ""
    assert (given[0].folder / "done").exists()


@pytest.mark.usefixtures("slurm")
def test_a_thousand_tasks_are_four_calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []

    def counted(*command: str, given: str = "") -> str:
        calls.append(command[0])
        return commands.ask(*command, given=given)

    monkeypatch.setattr(engine, "ask", counted)
    found = slurm_with()
    handles = found.submit(tasks(tmp_path, *[HEARS] * 1000))
    assert calls == ["scontrol", *["sbatch"] * 3]
    assert len(set(handles.values())) == 1000
    assert handles[f"{LARGEST_ARRAY:04}"].endswith("_0")
    states = found.states(handles.values())
    assert set(states) == set(handles.values())
    assert all(state.phase is not Phase.ENDED for state in states.values())
    calls.clear()
    odd = [handle for name, handle in handles.items() if int(name) % 2]
    found.cancel(odd)
    found.states(odd)
    assert calls == ["scancel", "squeue", "squeue"]
    for name in ("0001", "0999"):
        wait_for(found, handles[name], Phase.ENDED)
    assert state_of(found, handles["0998"]).phase is Phase.WAITING
    found.cancel([*handles.values()])


def test_a_cancelled_task_hears_of_it(slurm: Cluster, tmp_path: Path) -> None:
    found = slurm_with()
    handle = found.submit(tasks(tmp_path, HEARS))["0000"]
    started(tmp_path)
    assert state_of(found, handle).phase is Phase.RUNNING
    slurm.ask("scancel", handle)
    state = wait_for(found, handle, Phase.ENDED)
    assert state.reason == "CANCELLED: the job was cancelled, by you or by an administrator"
    assert (tmp_path / "0000/heard").exists()
    found.cancel([handle])


def test_a_task_out_of_time_hears_of_it(slurm: Cluster, tmp_path: Path) -> None:
    found = slurm_with(hours=0.5)
    handle = found.submit(tasks(tmp_path, HEARS))["0000"]
    started(tmp_path)
    # Slurm counts in minutes; an administrator need not wait for them.
    slurm.ask("scontrol", "update", f"JobId={handle}", "EndTime=now+1seconds")
    state = wait_for(found, handle, Phase.ENDED)
    assert state.reason.startswith("TIMEOUT: it ran past its limit of ")
    assert state.reason.endswith("; raise resources.hours")
    assert (tmp_path / "0000/heard").exists()


@pytest.mark.parametrize("again", ["requeued", "preempted"])
def test_a_task_that_slurm_starts_again_waits(slurm: Cluster, tmp_path: Path, again: str) -> None:
    found = slurm_with(options=["--nodelist=n2", "--exclusive"])
    handle = found.submit(tasks(tmp_path, HEARS))["0000"]
    started(tmp_path)
    if again == "requeued":
        slurm.ask("scontrol", "requeue", handle)
    else:
        urgent = slurm_with(partition="urgent", options=["--nodelist=n2", "--exclusive"])
        urgent.submit(tasks(tmp_path / "urgent", "true"))
    assert wait_for(found, handle, Phase.WAITING).reason == "BeginTime"
    assert (tmp_path / "0000/heard").exists()
    started(tmp_path, times=2)
    assert wait_for(found, handle, Phase.RUNNING).where == "n2"


@pytest.mark.parametrize(("command", "phase"), [(("scancel",), Phase.ENDED), (("scontrol", "requeue"), Phase.WAITING)])
def test_a_task_that_does_not_end_has_ended_unless_it_is_started_again(
    slurm: Cluster, tmp_path: Path, command: tuple[str, ...], phase: Phase
) -> None:
    """A run that is resumed while Slurm still waits for processes must not count on them."""
    found = slurm_with()
    handle = found.submit(tasks(tmp_path, "trap '' TERM; sleep 2; echo >> \"$1/started\"; sleep 60"))["0000"]
    started(tmp_path)
    slurm.ask(*command, handle)
    assert state_of(found, handle).phase is phase


def test_a_suspended_task_waits(slurm: Cluster, tmp_path: Path) -> None:
    found = slurm_with()
    handle = found.submit(tasks(tmp_path, HEARS))["0000"]
    started(tmp_path)
    slurm.ask("scontrol", "suspend", handle)
    assert wait_for(found, handle, Phase.WAITING).reason == "SUSPENDED: it was suspended; Slurm goes on with it"
    slurm.ask("scontrol", "resume", handle)
    wait_for(found, handle, Phase.RUNNING)


@pytest.mark.parametrize("option", ["--requeue", "--no-requeue"])
def test_a_node_that_dies(slurm: Cluster, tmp_path: Path, option: str) -> None:
    found = slurm_with(options=["--nodelist=n2", option])
    handle = found.submit(tasks(tmp_path, HEARS))["0000"]
    started(tmp_path)
    slurm.kill("n2")
    # Slurm finds that out after SlurmdTimeout; a health check of the site says so at once.
    slurm.ask("scontrol", "update", "NodeName=n2", "State=DOWN", "Reason=died")
    if option == "--requeue":
        wait_for(found, handle, Phase.WAITING)
    else:
        state = wait_for(found, handle, Phase.ENDED)
        assert state == State(Phase.ENDED, "n2", "NODE_FAIL: its node failed, and Slurm does not start the job again")
    assert not (tmp_path / "0000/heard").exists()


def test_a_controller_that_starts_again_knows_the_tasks(slurm: Cluster, tmp_path: Path) -> None:
    found = slurm_with()
    handle = found.submit(tasks(tmp_path, HEARS))["0000"]
    started(tmp_path)
    wait_for(found, handle, Phase.RUNNING)
    slurm.kill(CONTROLLER, signal.SIGTERM)
    with pytest.raises(EngineError, match=r"^slurm: .*[Uu]nable to contact slurm controller"):
        found.states([handle])
    with pytest.raises(EngineError, match=r"^slurm: "):
        found.cancel([handle])
    slurm.start(CONTROLLER)
    assert state_of(found, handle).phase is Phase.RUNNING
    found.cancel([handle])
    assert wait_for(found, handle, Phase.ENDED).reason.startswith("CANCELLED")


def test_a_command_that_hangs_is_no_answer(slurm: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = slurm_with()
    for name in ("squeue", "scontrol", "scancel"):
        (tmp_path / name).write_text("#!/bin/sh\nsleep 60 & sleep 60\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setattr(commands, "SECONDS", 0.3)
    begun = time.monotonic()
    for call in (
        lambda: found.states(["1_0"]),
        lambda: found.cancel(["1_0"]),
        lambda: found.submit(tasks(tmp_path, "")),
    ):
        with pytest.raises(EngineError, match=r"slurm: no answer from `s[a-z]+` within 0 seconds"):
            call()
    assert time.monotonic() - begun < 30
    assert not slurm.jobs


@pytest.mark.usefixtures("slurm")
def test_an_unknown_task_has_ended() -> None:
    found = slurm_with()
    states = found.states(["987654_0", "no handle"])
    assert [state.phase for state in states.values()] == [Phase.ENDED] * 2
    assert states["987654_0"].reason.startswith("Slurm does not know the job any more")
    found.cancel(["987654_0", "no handle"])


@pytest.mark.parametrize(
    ("resources", "said"),
    [
        ({"partition": "nope"}, "slurm: invalid partition specified: nope; .*--partition=nope"),
        ({"gpus": 4}, r"slurm: Requested node configuration is not available \(asked for .*--gres=gpu:4\)$"),
        ({"memory": "99GB"}, r"slurm: Memory specification can not be satisfied; .*--mem=94414M\)$"),
        ({"constraint": "h100"}, r"slurm: Invalid feature specification \(asked for --constraint=h100 "),
        ({"options": ["--nope"]}, "slurm: unrecognized option '--nope'"),
        ({"options": ["--mem=much"]}, r"slurm: Invalid --mem specification \(asked for .*--mem=much\)$"),
    ],
)
def test_what_slurm_refuses_is_named_in_a_line(
    slurm: Cluster, tmp_path: Path, resources: dict[str, object], said: str
) -> None:
    with pytest.raises(EngineError, match=said) as refused:
        slurm_with(**resources).submit(tasks(tmp_path, "true"))
    assert "\n" not in str(refused.value)
    assert not slurm.jobs


@pytest.mark.parametrize(
    ("resources", "reason"),
    [
        ({"cores": 99}, "PartitionConfig: the partition has no node with so many cores"),
        ({"hours": 99}, "PartitionTimeLimit: the partition allows less time than resources.hours; it never starts"),
        ({"options": ["--hold"]}, "JobHeldUser: it is held; `scontrol release` lets it start"),
    ],
)
@pytest.mark.usefixtures("slurm")
def test_what_never_starts_waits_and_says_why(tmp_path: Path, resources: dict[str, object], reason: str) -> None:
    found = slurm_with(**resources)
    handle = found.submit(tasks(tmp_path, "true"))["0000"]
    wait_until(lambda: state_of(found, handle).reason.startswith(reason), reason)
    assert state_of(found, handle).phase is Phase.WAITING


def test_when_a_part_is_refused_nothing_is_left(
    slurm: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    submitted: list[str] = []

    def refusing(*command: str, given: str = "") -> str:
        if command[0] == "sbatch" and submitted:
            raise EngineError("slurm: Job violates accounting/QOS policy")
        answer = commands.ask(*command, given=given)
        submitted.extend([answer] if command[0] == "sbatch" else [])
        return answer

    monkeypatch.setattr(engine, "ask", refusing)
    with pytest.raises(EngineError, match="slurm: Job violates accounting/QOS policy"):
        slurm_with().submit(tasks(tmp_path, *[HEARS] * (LARGEST_ARRAY + 1)))
    assert submitted
    wait_until(lambda: not slurm.jobs, "the first array to end")


@pytest.mark.usefixtures("slurm")
def test_a_gpu_is_on_the_node_that_has_one(tmp_path: Path) -> None:
    found = slurm_with(gpus=1, memory="1.5GiB", cores=2)
    handle = found.submit(tasks(tmp_path, 'echo "$SLURM_MEM_PER_NODE $SLURM_CPUS_PER_TASK"'))["0000"]
    assert wait_for(found, handle, Phase.ENDED).where == "n1"
    assert (tmp_path / "0000" / OUTPUT).read_text() == "1536 2\n"


@pytest.mark.usefixtures("slurm")
def test_the_environment_goes_along_but_not_that_of_another_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "MINE": "a b\nc",
        "SLURM_MEM_PER_GPU": "7",
        "SBATCH_EXPORT": "NONE",
        "SQUEUE_STATES": "F",
    }.items():
        monkeypatch.setenv(name, value)
    found = slurm_with(setup=["export FROM_SETUP=1  # here", "if true; then\n  export MORE='%s'\nfi"])
    line = 'echo "$MINE,$FROM_SETUP,$MORE,$SLURM_MEM_PER_GPU"'
    handle = found.submit(tasks(tmp_path, line))["0000"]
    wait_until(lambda: state_of(found, handle).phase is Phase.ENDED, "the task")
    assert (tmp_path / "0000" / OUTPUT).read_text() == "a b\nc,1,%s,\n"


@pytest.mark.usefixtures("slurm")
def test_a_task_does_not_start_after_a_setup_that_failed(tmp_path: Path) -> None:
    found = slurm_with(setup=["true", "module load 'cuda'", "true"])
    handle = found.submit(tasks(tmp_path, "echo started"))["0000"]
    assert wait_for(found, handle, Phase.ENDED).reason == "FAILED: a line of resources.setup failed"
    printed = (tmp_path / "0000" / OUTPUT).read_text()
    assert printed.endswith("retspec: a line of resources.setup failed: module load 'cuda'\n")
    assert "started" not in printed


@pytest.mark.usefixtures("slurm")
def test_a_node_without_the_working_directory_says_so(tmp_path: Path) -> None:
    found = slurm_with()
    handle = found.submit(tasks(tmp_path, "true", cwd=tmp_path / "elsewhere"))["0000"]
    assert "the node has no such working directory" in wait_for(found, handle, Phase.ENDED).reason


@pytest.mark.usefixtures("slurm")
def test_a_list_that_appears_late_is_waited_for(tmp_path: Path) -> None:
    found = slurm_with(options=["--begin=now+1"])
    handle = found.submit(tasks(tmp_path, "true"))["0000"]
    (listed,) = tmp_path.glob("retspec-*.sh")
    listed.rename(tmp_path / "hidden")
    wait_for(found, handle, Phase.RUNNING)
    (tmp_path / "hidden").rename(listed)
    assert wait_for(found, handle, Phase.ENDED).reason == ""
