"""What needs no cluster: what a spec may give, and what the words of Slurm mean."""

from __future__ import annotations

import pytest
from retspec.executors import EngineError, Phase

from retspec_slurm.queue import _WIDTHS, read_pending, read_queue
from retspec_slurm.resources import slurm


def line(**cells: str) -> str:
    given = {"ArrayJobID": "7", "ArrayTaskID": "0", "exit_code": "0", "TimeLimit": "1:00:00", "Reason": "None", **cells}
    return "".join(given.get(name, "").ljust(width) for name, width in _WIDTHS.items())


@pytest.mark.parametrize(
    ("cells", "phase", "reason"),
    [
        ({"State": "COMPLETED"}, Phase.ENDED, ""),
        ({"State": "FAILED", "exit_code": "256"}, Phase.ENDED, "FAILED: the command ended with exit code 1"),
        ({"State": "FAILED", "exit_code": "1:0"}, Phase.ENDED, "FAILED: the command ended with exit code 1"),
        ({"State": "FAILED", "exit_code": "9"}, Phase.ENDED, "FAILED: it was killed by signal 9"),
        ({"State": "FAILED", "exit_code": "0:9"}, Phase.ENDED, "FAILED: it was killed by signal 9"),
        ({"State": "FAILED", "Reason": "JobLaunchFailure"}, Phase.ENDED, "FAILED: JobLaunchFailure"),
        ({"State": "FAILED", "exit_code": str(127 << 8)}, Phase.ENDED, ("FAILED: the node cannot start Python; the "
         "environment of retspec must be on a disk that all nodes share")),
        ({"State": "TIMEOUT"}, Phase.ENDED, "TIMEOUT: it ran past its limit of 1 hour; raise resources.hours"),
        ({"State": "TIMEOUT", "TimeLimit": "30:00"}, Phase.ENDED,
         "TIMEOUT: it ran past its limit of 30 minutes; raise resources.hours"),
        ({"State": "TIMEOUT", "TimeLimit": "2-12:00:00"}, Phase.ENDED,
         "TIMEOUT: it ran past its limit of 60 hours; raise resources.hours"),
        ({"State": "TIMEOUT", "TimeLimit": "UNLIMITED"}, Phase.ENDED,
         "TIMEOUT: it ran past its limit of time; raise resources.hours"),
        ({"State": "OUT_OF_MEMORY"}, Phase.ENDED,
         "OUT_OF_MEMORY: it needed more CPU memory than it was given; raise resources.memory"),
        ({"State": "COMPLETING", "TimeUsed": "0:07"}, Phase.ENDED, "COMPLETING: Slurm is ending the job"),
        ({"State": "COMPLETING", "TimeUsed": "0:00"}, Phase.WAITING, "COMPLETING: Slurm ends it, to start it again"),
        ({"State": "A_STATE_OF_TOMORROW"}, Phase.RUNNING, "A_STATE_OF_TOMORROW"),
        ({"State": "CONFIGURING"}, Phase.WAITING, "CONFIGURING: the node is being started"),
        ({"State": "PENDING"}, Phase.WAITING, ""),
        ({"State": "PENDING", "Reason": "Priority"}, Phase.WAITING, "Priority"),
        ({"State": "PENDING", "Reason": "ReqNodeNotAvail,_UnavailableNodes:n1"}, Phase.WAITING,
         "ReqNodeNotAvail, UnavailableNodes:n1: a node that it needs is down or reserved"),
        ({"State": "PENDING", "Reason": "DependencyNeverSatisfied"}, Phase.WAITING,
         "DependencyNeverSatisfied: the job on which it depends did not end as required; it never starts"),
        ({"State": "PENDING", "Reason": "AssocGrpGRES"}, Phase.WAITING, "AssocGrpGRES: a limit of your account"),
    ],
)  # fmt: skip
def test_a_line_of_squeue_in_words(cells: dict[str, str], phase: Phase, reason: str) -> None:
    (state,) = read_queue(line(**cells)).values()
    assert (state.phase, state.reason) == (phase, reason)


def test_other_jobs_of_the_user_are_none_of_ours() -> None:
    printed = "\n".join([line(ArrayTaskID="N/A", State="RUNNING"), "CLUSTER: other", "", line(State="RUNNING")])
    assert [*read_queue(printed)] == ["7_0"]


def test_numbers_of_tasks_that_wait() -> None:
    waiting = read_pending("12 4-8:2,10,12-13%5 Priority\n13 N/A None\n\n14 0\n")
    assert [*waiting] == ["12_4", "12_6", "12_8", "12_10", "12_12", "12_13", "14_0"]
    assert {state.reason for state in waiting.values()} == {"Priority", ""}


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("--array=0-3", "`--array=0-3` cannot be given (array: retspec numbers the tasks itself)"),
        ("--arr=0-3", "`--arr=0-3` cannot be given (array: "),
        ("--wait", "`--wait` cannot be given (wait: retspec waits itself)"),
        ("-p gpu", "write `-p gpu` as --name=value, each option as an item of its own"),
        ("script.sh", "write `script.sh` as --name=value"),
        ("--mem 4G", "write `--mem 4G` as --name=value"),
        ("--", "write `--` as --name=value"),
    ],
)
def test_an_option_that_would_change_the_submission_is_refused(option: str, said: str) -> None:
    with pytest.raises(EngineError) as refused:
        slurm(options=["--exclude=n7", option])
    assert str(refused.value).startswith(f"resources.options: {said}")


def test_other_options_are_passed_on() -> None:
    engine = slurm(gpus=2, hours=0.01, memory="1MB", options=["--wait-all-nodes=1", "--exclude=n7"])
    given = ("--cpus-per-task=1", "--gres=gpu:2", "--mem=1M", "--time=1", "--wait-all-nodes=1", "--exclude=n7")
    assert engine._options == given
