"""Many short runs, each hit by a random signal at a random moment; after each nothing may be lost, invented or left.

In each run one criterion does harm as well: it prints without end, returns 20 MB, leaves a child with a session of its
own, sets the clock back, or meets a full disk. Half of the runs have two cells side by side (`--jobs 2`).

The checks need no torch. Each writes its name to a log when it runs, so that a verdict can be compared with what really
happened: a criterion that is met has run, once; a run that was not killed reports every criterion; reports on disk
are whole, and red unless everything is met; no process of the run is left.

With `--jobs`, each run measures several cells at a time. One does harm while another is at work, and half of the runs
are hit as well, or two of them are done at once: `soak_jobs.py` says what must be true of them.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click
import soak_jobs
from junitparser import JUnitXml
from soaking import PLUGIN, hold_none_left, ps, require, start

if TYPE_CHECKING:
    import subprocess

CRITERIA = 6
LONGEST = 2.5
"""Seconds until the signal, at most: somewhat longer than an undisturbed run."""
HARMFUL = 3
"""The criterion that does harm."""
HARMS = ("none", "flood", "large", "session", "clock", "disk")
FULL_AT = 12_000
"""Bytes of a file at which the disk is full: a report has more by the time that it is finished."""
DISK_IS_FULL = 4
"""The exit code when a report could not be written."""
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)


@dataclass(frozen=True)
class Blow:
    """The process that was hit, and the signal."""

    target: str
    number: signal.Signals | None

    def __str__(self) -> str:
        return f"{self.number.name} to the {self.target}" if self.number else "nothing was hit"


@click.command(help=__doc__)
@click.argument("runs", type=click.IntRange(min=1), default=300)
@click.option("--seed", type=int, help="Repeats the choices of an earlier soak; drawn and printed without.")
@click.option(
    "--jobs", type=click.IntRange(min=2), help="Runs of several cells, so many at a time, one of which does harm."
)
@click.option(
    "--first", type=click.IntRange(min=0), default=0, help="With --jobs: the run to begin with, to repeat one."
)
def main(runs: int, seed: int | None, jobs: int | None, first: int) -> None:
    """Soak, print, and end at the first run in which something is wrong."""
    seed = seed if seed is not None else random.SystemRandom().randrange(10**6)
    print(f"{runs} runs, seed {seed}", flush=True)
    chance, tally, started = random.Random(seed), Counter[str](), time.monotonic()  # noqa: S311 - repeatable on purpose
    with tempfile.TemporaryDirectory() as cache:
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = cache  # thousands of programs start
        for number in range(first, first + runs):
            try:
                tally[_outcome(number, chance, seed, jobs)] += 1
            except AssertionError as error:
                sys.exit(f"run {number}: {error}")
    for outcome, count in sorted(tally.items()):
        print(f"{count:4}  {outcome}")
    print(f"nothing lost, nothing invented, nothing left in {time.monotonic() - started:.0f} s")


def _outcome(number: int, chance: random.Random, seed: int, jobs: int | None) -> str:
    """Do a run in a folder of its own; one of several cells can be repeated alone, so it draws for itself."""
    name, started = f"{os.getpid()}.{number}", time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        if not jobs:
            return soak(Path(folder), chance, name)
        own = random.Random(f"{seed}, run {number}")  # noqa: S311 - repeatable on purpose
        outcome = soak_jobs.soak(Path(folder), own, name, jobs)
        print(f"{number:4}  {outcome} in {time.monotonic() - started:.1f} s", flush=True)
        return outcome


def soak(folder: Path, chance: random.Random, name: str) -> str:
    """Do one run and hold it; return what was hit and what came of it."""
    harm, cells = chance.choice(HARMS), chance.choice([1, 2])
    (folder / "plugin.py").write_text(PLUGIN)
    (folder / "spec.yaml").write_text(_spec(harm, cells))
    target, number = chance.choice(["supervisor", "worker"]), chance.choice(SIGNALS)
    program = _start(folder, name, harm, cells)
    time.sleep(chance.uniform(0, LONGEST))
    blow = _hit(program, target, number)
    _, errors = program.communicate(timeout=300)
    hold_none_left(name, str(blow))
    if _is_too_early(folder, errors):
        return f"{blow}: before the run began"
    verdicts = _hold_reports(folder, blow, program.returncode, errors)
    _hold_verdicts(folder, verdicts, blow, program.returncode, errors, harm)
    require(not verdicts or len(verdicts) == cells * CRITERIA, f"{blow}: criteria lost: {verdicts}")
    return f"{harm}, {blow}: exit code {program.returncode if program.returncode >= 0 else 128 - program.returncode}"


def _spec(harm: str, cells: int) -> str:
    limits = f"limit: 0, timeout: {2 if harm == 'flood' else 60}s"
    lines = [f"  c{n}: {{check: logged, {limits}, with: {_arguments(n, harm)}}}\n" for n in range(CRITERIA)]
    matrix = "matrix: {vars.cell: [a, b]}\n" if cells > 1 else ""
    return f"retspec: 1\nplugins: [plugin.py]\nvars: {{cell: a}}\n{matrix}checks:\n{''.join(lines)}"


def _arguments(number: int, harm: str) -> str:
    done = harm if number == HARMFUL else "none"
    has_child = number % 2 == 0 or done == "session"
    return f"{{name: 'c{number}-${{vars.cell}}', child: {str(has_child).lower()}, harm: {done}}}"


def _start(folder: Path, name: str, harm: str, cells: int) -> subprocess.Popen[str]:
    reports = ["--no-reports", "--json", "results.json", "--junit-xml", "junit.xml", "--jobs", str(cells)]
    return start(folder, name, *reports, clock=harm == "clock", full_at=FULL_AT if harm == "disk" else None)


# Hitting ------------------------------------------------------------------------------------------


def _hit(program: subprocess.Popen[str], target: str, number: signal.Signals) -> Blow:
    pid = program.pid if target == "supervisor" else _worker_of(program.pid)
    if pid is None or program.poll() is not None:
        return Blow(target, None)
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return Blow(target, None)
    return Blow(target, number)


def _worker_of(supervisor: int) -> int | None:
    lines = [line.split(None, 2) for line in ps("ax", "-o", "pid=,ppid=,command=")]
    found = [
        int(pid) for pid, parent, command in lines if int(parent) == supervisor and "retspec.engine.worker" in command
    ]
    return found[0] if found else None


# Holding ------------------------------------------------------------------------------------------


def _is_too_early(folder: Path, errors: str) -> bool:
    """Whether Ctrl-C came before the run began, perhaps while the interpreter started and showed its own traceback."""
    is_reported = errors == "interrupted\n" or "KeyboardInterrupt" in errors
    return is_reported and not any((folder / name).exists() for name in ("log", "junit.xml"))


def _hold_reports(folder: Path, blow: Blow, code: int, errors: str) -> dict[str, str]:
    """Return the verdicts; the reports that are there are whole, and red unless the run said that all is well."""
    results, junit = folder / "results.json", folder / "junit.xml"
    is_silent = code < 0  # ended at once: perhaps before the reports, or a temporary file of theirs, were through
    others = {path.name for path in folder.iterdir()} - {
        "plugin.py",
        "spec.yaml",
        "log",
        "ended",
        "results.json",
        "junit.xml",
    }
    require(is_silent or not others, f"{blow}: left on disk: {others}")
    is_there = (results.exists() and junit.exists()) or code == DISK_IS_FULL
    require(is_silent or is_there, f"{blow}: a report is missing, exit code {code}: {errors}")
    if junit.exists():
        suites = [*JUnitXml.fromfile(str(junit))]
        require(all(suite.tests >= CRITERIA for suite in suites), f"{blow}: junit.xml lacks criteria")
        require(code != 0 or not any(suite.errors for suite in suites), f"{blow}: junit.xml is red, the exit code 0")
    if not results.exists():
        return {}
    report = json.loads(results.read_text())
    is_as_it_was = code == DISK_IS_FULL and report["exit_code"] != 0
    agrees = is_silent or is_as_it_was or report["exit_code"] == code
    require(agrees, f"{blow}: results.json says {report['exit_code']}, not {code}")
    found = [result for part in report["cells"] or [report] for result in part["results"]]
    return {result["criterion"]["arguments"]["name"]: result["verdict"] for result in found}


def _hold_verdicts(folder: Path, verdicts: dict[str, str], blow: Blow, code: int, errors: str, harm: str) -> None:
    """Nothing is invented: what is met has run. Nothing is lost: a run that was not ended answers for everything."""
    log = folder / "log"
    ran = Counter(log.read_text().split()) if log.exists() else Counter[str]()
    met = {name for name, verdict in verdicts.items() if verdict == "met"}
    require(met <= ran.keys(), f"{blow}: met without having run: {met - ran.keys()}")
    require(max(ran.values(), default=0) <= 1, f"{harm}, {blow}: run twice: {ran}, {verdicts}")
    require("Traceback" not in errors, f"{blow}: {errors}")
    if code == DISK_IS_FULL:
        require(harm == "disk", f"{blow}: exit code {code}: {errors}")
    elif blow.target == "worker" or blow.number is None:
        require(code == 0 or blow.number is not None or harm == "flood", f"{blow}: exit code {code}: {errors}")
        allowed = {"met", "crash", "timeout"} if harm == "flood" else {"met", "crash"}
        require(set(verdicts.values()) <= allowed, f"{blow}: no outcome: {verdicts}")
        require((len(met) == len(verdicts)) or code != 0, f"{blow}: green, but {verdicts}")


if __name__ == "__main__":
    main()
