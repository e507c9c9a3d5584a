"""Whole runs on the cluster: the same results as here, and nothing is left behind or lost."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING

import pytest
from retspec.cluster import following
from retspec.running import run, run_all
from slurm_cluster import wait_until
from slurm_runs import PATHS, Front, read_until, results_in

if TYPE_CHECKING:
    from pathlib import Path

    from slurm_cluster import Cluster

MATRIX = {"matrix": {"seed": [1, 2, 3]}, "run": {"seed": "${matrix.seed}", "threads": 1}}


@pytest.fixture
def front(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Front:
    monkeypatch.setenv("PYTHONPATH", PATHS)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.chdir(tmp_path)
    return Front(tmp_path)


def test_the_results_are_those_of_this_machine(slurm: Cluster, front: Front) -> None:
    front.write({"one": 0, "two": 0.01}, **MATRIX)
    code, output = front.run("--jobs", "2")
    assert code == 0, output
    there = front.results
    here = front.folder / "here.json"
    run_all(["spec.yaml"], reports=[{"json": here}], overrides=["run.executor=slurm"], here=True)
    assert there == results_in(here)
    assert front.lines("one") == 2 * 3
    assert not slurm.jobs


def test_ctrl_c_leaves_no_job_and_resume_measures_the_rest(slurm: Cluster, front: Front) -> None:
    front.write({"quick": 0, "slow": 4})
    process = front.start()
    front.wait_for("slow")
    read_until(process, "quick: met")
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 130, output
    wait_until(lambda: not slurm.jobs, "the job to end")
    assert {name: verdict for name, (verdict, _) in front.verdicts.items()} == {"quick": "met", "slow": "not run"}
    code, output = front.run("--resume")
    assert (code, front.lines("quick"), front.lines("slow")) == (0, 1, 2), output


def test_a_front_end_that_is_killed_leaves_tasks_that_resume_takes_up(slurm: Cluster, front: Front) -> None:
    front.write({"quick": 0, "slow": 4})
    process = front.start()
    front.wait_for("slow")
    process.kill()
    process.communicate(timeout=60)
    assert len(slurm.jobs) == 1
    code, output = front.run("--resume")
    assert (code, front.lines("quick"), front.lines("slow")) == (0, 1, 1), output


def test_a_node_that_dies_loses_nothing(slurm: Cluster, front: Front) -> None:
    front.write({"quick": 0, "slow": 2}, run={"resources": {"options": ["--nodelist=n2"]}})
    process = front.start()
    front.wait_for("slow")
    slurm.kill("n2")
    slurm.ask("scontrol", "update", "NodeName=n2", "State=DOWN", "Reason=died")
    wait_until(lambda: any("PENDING" in job for job in slurm.jobs), "the job to wait")
    slurm.start("n2")
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0, output
    assert (front.lines("quick"), front.lines("slow")) == (1, 2)


def test_a_job_that_somebody_cancels_has_no_verdict(
    slurm: Cluster, front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "LATE", 1.0)
    front.write({"quick": 0, "slow": 30})

    def cancel() -> None:
        front.wait_for("slow")
        slurm.ask("scancel", "--user=root")

    thread = threading.Thread(target=cancel)
    thread.start()
    report = run(front.folder / "spec.yaml", overrides=["run.executor=slurm"])
    thread.join()
    slow = report.result("slow")
    assert (report.exit_code, report.result("quick").verdict.value) == (3, "met")
    assert "CANCELLED" in slow.reason
    assert not slow.verdict.is_accepted


def test_what_slurm_refuses_ends_the_run(front: Front, slurm: Cluster) -> None:
    front.write({"one": 0}, run={"resources": {"partition": "nope"}})
    code, output = front.run()
    assert code == 2
    assert "Error: slurm: invalid partition specified: nope" in output
    assert not slurm.jobs
