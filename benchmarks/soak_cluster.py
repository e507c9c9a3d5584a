"""Runs on a Slurm cluster of two nodes, each hit once; after each nothing may be lost, invented or left in the queue.

A job is cancelled or started again, a node or the controller dies, the front end gets Ctrl-C or SIGKILL, or the disk
that all share is full for a while. Where the run then ends without all verdicts, `--resume` is asked for the rest.

A criterion is met only if a node has measured it; the run is red until all are; measured again is at most what was
being measured, one criterion per task; no job is left. It needs root and the daemons of Slurm, as the tests of
plugins/retspec-slurm do.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "plugins/retspec-slurm/tests"), str(ROOT / "plugins/retspec-slurm/src")]

from slurm_cluster import CONTROLLER, NODES, Cluster, cluster, wait_until  # noqa: E402
from slurm_runs import PATHS, Front  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator

SEEDS, CRITERIA, TASKS = (1, 2, 3, 4), 8, 4
SECONDS = 0.4
"""How long each criterion is measured."""
LATEST = 3.0
"""Seconds after the first measurement until something happens, at most."""
OUTAGE = 4.0
"""Seconds that the controller is away, or the disk full."""
DISK = "size=2m"
MOST_RESUMES = 3
HARMS = ("cancelled", "requeued", "node", "node comes back", "controller", "Ctrl-C", "SIGKILL", "full disk")


@click.command(help=__doc__)
@click.argument("runs", type=click.IntRange(min=1), default=20)
@click.option("--seed", type=int, help="Repeats the choices of an earlier soak; drawn and printed without.")
def main(runs: int, seed: int | None) -> None:
    """Soak, print, and end at the first run in which something is wrong."""
    seed = seed if seed is not None else random.SystemRandom().randrange(10**6)
    print(f"{runs} runs, seed {seed}", flush=True)
    chance, tally, started = random.Random(seed), Counter[str](), time.monotonic()  # noqa: S311 - repeatable on purpose
    os.environ.update(PYTHONPATH=PATHS, OMP_NUM_THREADS="1")
    with cluster() as found:
        os.environ["SLURM_CONF"] = str(found.conf)
        for number in range(runs):
            harm, at = HARMS[number % len(HARMS)], chance.uniform(0, LATEST)
            try:
                outcome = soak(found, harm, at)
            except AssertionError as error:
                sys.exit(f"run {number}, {harm} after {at:.1f} s: {error}")
            print(f"{number:3}  {harm} after {at:.1f} s: {outcome}", flush=True)
            tally[harm] += 1
            found.be_free()
    print(f"nothing lost, nothing invented, nothing left in {time.monotonic() - started:.0f} s: {dict(tally)}")


def soak(found: Cluster, harm: str, at: float) -> str:
    """Do one run and hold it; return what came of it."""
    with ExitStack() as stack:
        logs = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        front = Front(stack.enter_context(_disk()))
        _write(front, logs)
        process = front.start("--jobs", str(TASKS))
        wait_until(lambda: [*logs.iterdir()], "the first measurement")
        time.sleep(at)
        _hit(found, front, process, harm)
        output, _ = process.communicate(timeout=600)
        codes = [process.returncode]
        while codes[-1] != 0 and len(codes) <= MOST_RESUMES:
            _hold_verdicts(front, logs, codes[-1])
            code, output = front.run("--resume", "--jobs", str(TASKS))
            codes.append(code)
        _require(codes[-1] == 0, f"ended with {codes}: {output[-2000:]}")
        _hold_verdicts(front, logs, 0)
        again = _measured(logs) - len(SEEDS) * CRITERIA
        _require(again <= TASKS or harm == "full disk", f"{again} criteria were measured again")
        wait_until(lambda: not found.jobs, "the queue to be empty")
        return f"exit codes {codes}, {again} criteria measured again"


@contextmanager
def _disk() -> Iterator[Path]:
    """Yield a small disk."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["mount", "-t", "tmpfs", "-o", DISK, "tmpfs", folder], check=True)  # noqa: S607
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)  # noqa: S607


def _write(front: Front, logs: Path) -> None:
    """Write a spec, of which each criterion leaves a line in a log of its own."""
    front.write(
        {f"c{number}": SECONDS for number in range(CRITERIA)},
        logs=f"{logs}/${{matrix.seed}}-",
        matrix={"seed": [*SEEDS]},
        run={"seed": "${matrix.seed}", "threads": 1},
    )


def _hit(found: Cluster, front: Front, process: subprocess.Popen[str], harm: str) -> None:
    running = [job.split()[0] for job in found.jobs if job.endswith("RUNNING")]
    match harm:
        case "cancelled":
            found.ask("scancel", *running[:1])
        case "requeued":
            found.ask("scontrol", "requeue", *running[:1])
        case "node" | "node comes back":
            found.kill(NODES[1])
            if harm == "node comes back":
                found.start(NODES[1])
        case "controller":
            found.kill(CONTROLLER, signal.SIGTERM)
            time.sleep(OUTAGE)
            found.start(CONTROLLER)
        case "Ctrl-C":
            process.send_signal(signal.SIGINT)
        case "SIGKILL":
            process.kill()
        case "full disk":
            _fill(front.folder / "full")


def _fill(path: Path) -> None:
    """Leave no room on the disk for a while."""
    with path.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"x" * 4096)
    time.sleep(OUTAGE)
    path.unlink()


def _hold_verdicts(front: Front, logs: Path, code: int) -> None:
    """Require of the report on the disk that it is red unless everything is met, and met only what was measured."""
    verdicts = front.verdicts
    met = {name for name, (verdict, _) in verdicts.items() if verdict == "met"}
    _require(len(verdicts) == len(SEEDS) * CRITERIA, f"{len(verdicts)} criteria are in the report")
    _require((code == 0) == (len(met) == len(verdicts)), f"exit code {code} with {len(met)} met: {verdicts}")
    unmeasured = [name for name in met if not (logs / name.removeprefix("seed=").replace(" ", "-")).exists()]
    _require(not unmeasured, f"met without having been measured: {unmeasured}")


def _measured(logs: Path) -> int:
    return sum(len(log.read_text().splitlines()) for log in logs.iterdir())


def _require(condition: bool, problem: str) -> None:  # noqa: FBT001 - as assert
    if not condition:
        raise AssertionError(problem)


if __name__ == "__main__":
    main()
