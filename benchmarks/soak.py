"""Many short runs, each hit by a random signal at a random moment; after each nothing may be lost, invented or left.

The checks need no torch. Each writes its name to a log when it runs, so that a verdict can be compared with what really
happened: a criterion that is met has run, once; a run that was not killed reports every criterion; reports on disk
are whole, and red unless everything is met; no process of the run is left.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import click
from junitparser import JUnitXml

ROOT = Path(__file__).resolve().parent.parent
MARK = "RETSPEC_SOAK"
"""Environment variable by which every process of a run is known."""
CRITERIA = 6
LONGEST = 1.4
"""Seconds until the signal, at most: somewhat longer than an undisturbed run."""
GRACE = 3.0
"""Seconds that the processes of a run have to go."""
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
PLUGIN = '''
import os
import subprocess
import time

from retspec.plugin import Check, check, hookimpl

@check(direction="at most", advice="Nothing to do.")
def logged(*, name: str, child: bool) -> int:
    """Does it run?"""
    descriptor = os.open("log", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(descriptor, f"{name}\\n".encode())
    os.close(descriptor)
    if child:
        subprocess.Popen(["sleep", "600"])
    time.sleep(0.08)
    return 0

@hookimpl
def retspec_checks() -> list[Check]:
    return [logged]
'''


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
def main(runs: int, seed: int | None) -> None:
    """Soak, print, and end at the first run in which something is wrong."""
    seed = seed if seed is not None else random.SystemRandom().randrange(10**6)
    print(f"{runs} runs, seed {seed}", flush=True)
    chance, tally, started = random.Random(seed), Counter[str](), time.monotonic()  # noqa: S311 - repeatable on purpose
    for number in range(runs):
        with tempfile.TemporaryDirectory() as folder:
            try:
                tally[soak(Path(folder), chance, f"{os.getpid()}.{number}")] += 1
            except AssertionError as error:
                sys.exit(f"run {number}: {error}")
    for outcome, count in sorted(tally.items()):
        print(f"{count:4}  {outcome}")
    print(f"nothing lost, nothing invented, nothing left in {time.monotonic() - started:.0f} s")


def soak(folder: Path, chance: random.Random, name: str) -> str:
    """Do one run and hold it; return what was hit and what came of it."""
    (folder / "plugin.py").write_text(PLUGIN)
    (folder / "spec.yaml").write_text(_spec())
    target, number = chance.choice(["supervisor", "worker"]), chance.choice(SIGNALS)
    program = _start(folder, name)
    time.sleep(chance.uniform(0, LONGEST))
    blow = _hit(program, target, number)
    _, errors = program.communicate(timeout=60)
    _hold_processes(name, blow)
    if _is_too_early(folder, errors):
        return f"{blow}: before the run began"
    verdicts = _hold_reports(folder, blow, program.returncode, errors)
    _hold_verdicts(folder, verdicts, blow, program.returncode, errors)
    return f"{blow}: exit code {program.returncode if program.returncode >= 0 else 128 - program.returncode}"


def _spec() -> str:
    lines = [
        f"  c{n}: {{check: logged, limit: 0, with: {{name: c{n}, child: {str(n % 2 == 0).lower()}}}}}\n"
        for n in range(CRITERIA)
    ]
    return f"retspec: 1\nplugins: [plugin.py]\nchecks:\n{''.join(lines)}"


def _start(folder: Path, name: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "retspec", "run", "spec.yaml", "--json", "results.json", "--junit-xml", "junit.xml"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), MARK: name},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


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
    lines = [line.split(None, 2) for line in _ps("ax", "-o", "pid=,ppid=,command=")]
    found = [
        int(pid) for pid, parent, command in lines if int(parent) == supervisor and "retspec.engine.worker" in command
    ]
    return found[0] if found else None


def _ps(*arguments: str) -> list[str]:
    return subprocess.run(["ps", *arguments], capture_output=True, text=True, check=True).stdout.splitlines()  # noqa: S607


# Holding ------------------------------------------------------------------------------------------


def _hold_processes(name: str, blow: Blow) -> None:
    """No process of the run is left, the worker's children included."""
    deadline = time.monotonic() + GRACE
    while left := [line for line in _ps("axeww", "-o", "stat=,command=") if f"{MARK}={name} " in f"{line} "]:
        if all(line.startswith("Z") for line in left):
            return
        _require(time.monotonic() < deadline, f"{blow}: left running: {left}")
        time.sleep(0.02)


def _is_too_early(folder: Path, errors: str) -> bool:
    """Whether Ctrl-C came before the run began, perhaps while the interpreter started and showed its own traceback."""
    is_reported = errors == "interrupted\n" or "KeyboardInterrupt" in errors
    return is_reported and not any((folder / name).exists() for name in ("log", "junit.xml"))


def _hold_reports(folder: Path, blow: Blow, code: int, errors: str) -> dict[str, str]:
    """Return the verdicts; the reports that are there are whole, and red unless the run said that all is well."""
    results, junit = folder / "results.json", folder / "junit.xml"
    is_silent = code < 0  # ended at once: perhaps before the reports, or a temporary file of theirs, were through
    others = {path.name for path in folder.iterdir()} - {"plugin.py", "spec.yaml", "log", "results.json", "junit.xml"}
    _require(is_silent or not others, f"{blow}: left on disk: {others}")
    _require(
        is_silent or (results.exists() and junit.exists()), f"{blow}: a report is missing, exit code {code}: {errors}"
    )
    if junit.exists():
        suite = next(iter(JUnitXml.fromfile(str(junit))))
        _require(suite.tests >= CRITERIA, f"{blow}: junit.xml lacks criteria")
        _require(code != 0 or suite.errors == 0, f"{blow}: junit.xml is red, the exit code 0")
    if not results.exists():
        return {}
    report = json.loads(results.read_text())
    _require(is_silent or report["exit_code"] == code, f"{blow}: results.json says {report['exit_code']}, not {code}")
    return {result["criterion"]["id"]: result["verdict"] for result in report["results"]}


def _hold_verdicts(folder: Path, verdicts: dict[str, str], blow: Blow, code: int, errors: str) -> None:
    """Nothing is invented: what is met has run. Nothing is lost: a run that was not ended answers for everything."""
    log = folder / "log"
    ran = Counter(log.read_text().split()) if log.exists() else Counter[str]()
    met = {name for name, verdict in verdicts.items() if verdict == "met"}
    _require(met <= ran.keys(), f"{blow}: met without having run: {met - ran.keys()}")
    _require(max(ran.values(), default=0) <= 1, f"{blow}: run twice: {ran}")
    _require("Traceback" not in errors, f"{blow}: {errors}")
    _require(not verdicts or len(verdicts) == CRITERIA, f"{blow}: criteria lost: {verdicts}")
    if blow.target == "worker" or blow.number is None:
        _require(code == 0 or blow.number is not None, f"{blow}: exit code {code}: {errors}")
        _require(set(verdicts.values()) <= {"met", "crash"}, f"{blow}: no outcome: {verdicts}")
        _require((len(met) == CRITERIA) or code != 0, f"{blow}: green, but {verdicts}")


def _require(holds: bool, complaint: str) -> None:  # noqa: FBT001 - reads as a sentence
    if not holds:
        raise AssertionError(complaint)


if __name__ == "__main__":
    main()
