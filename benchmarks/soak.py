"""Many short runs, each hit by a random signal at a random moment; after each nothing may be lost, invented or left.

In each run one criterion does harm as well: it prints without end, returns 20 MB, leaves a child with a session of its
own, sets the clock back, or meets a full disk. Half of the runs have two cells side by side (`--jobs 2`).

The checks need no torch. Each writes its name to a log when it runs, so that a verdict can be compared with what really
happened: a criterion that is met has run, once; a run that was not killed reports every criterion; reports on disk
are whole, and red unless everything is met; no process of the run is left.
"""

from __future__ import annotations

import json
import os
import random
import resource
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
LONGEST = 2.5
"""Seconds until the signal, at most: somewhat longer than an undisturbed run."""
HARMFUL = 3
"""The criterion that does harm."""
HARMS = ("none", "flood", "large", "session", "clock", "disk")
FULL_AT = 12_000
"""Bytes of a file at which the disk is full: a report has more by the time that it is finished."""
GRACE = 5.0
"""Seconds that the processes of a run have to go."""
DISK_IS_FULL = 4
"""The exit code when a report could not be written."""
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
PLUGIN = '''
import os
import subprocess
import time

from retspec.plugin import Check, Observed, check, hookimpl

if os.environ.get("SOAK_CLOCK"):
    wall = time.time
    time.time = lambda: wall() - 1e6 * (os.getpid() % 3)

@check(direction="at most", advice="Nothing to do.")
def logged(*, name: str, child: bool, harm: str = "none") -> Observed[int]:
    """Does it run?"""
    descriptor = os.open("log", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(descriptor, f"{name}\\n".encode())
    os.close(descriptor)
    if child:
        subprocess.Popen(["sleep", "600"], start_new_session=harm == "session")
    while harm == "flood":
        print("x" * 10_000)
    time.sleep(0.08)
    return Observed(0, {"large": ["x" * 2**20] * 20} if harm == "large" else {"words": "x" * 5_000})

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
    harm, cells = chance.choice(HARMS), chance.choice([1, 2])
    (folder / "plugin.py").write_text(PLUGIN)
    (folder / "spec.yaml").write_text(_spec(harm, cells))
    target, number = chance.choice(["supervisor", "worker"]), chance.choice(SIGNALS)
    program = _start(folder, name, harm, cells)
    time.sleep(chance.uniform(0, LONGEST))
    blow = _hit(program, target, number)
    _, errors = program.communicate(timeout=300)
    _hold_processes(name, blow)
    if _is_too_early(folder, errors):
        return f"{blow}: before the run began"
    verdicts = _hold_reports(folder, blow, program.returncode, errors)
    _hold_verdicts(folder, verdicts, blow, program.returncode, errors, harm)
    _require(not verdicts or len(verdicts) == cells * CRITERIA, f"{blow}: criteria lost: {verdicts}")
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

    def prepare() -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # a shell has it ignored in what it starts in the background
        if harm == "disk":
            resource.setrlimit(resource.RLIMIT_FSIZE, (FULL_AT, FULL_AT))

    return subprocess.Popen(
        [sys.executable, "-m", "retspec", "run", "spec.yaml", *reports],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), MARK: name, "SOAK_CLOCK": "1" if harm == "clock" else ""},
        preexec_fn=prepare,  # noqa: PLW1509 - there is one thread
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
    is_there = (results.exists() and junit.exists()) or code == DISK_IS_FULL
    _require(is_silent or is_there, f"{blow}: a report is missing, exit code {code}: {errors}")
    if junit.exists():
        suites = [*JUnitXml.fromfile(str(junit))]
        _require(all(suite.tests >= CRITERIA for suite in suites), f"{blow}: junit.xml lacks criteria")
        _require(code != 0 or not any(suite.errors for suite in suites), f"{blow}: junit.xml is red, the exit code 0")
    if not results.exists():
        return {}
    report = json.loads(results.read_text())
    is_as_it_was = code == DISK_IS_FULL and report["exit_code"] != 0
    agrees = is_silent or is_as_it_was or report["exit_code"] == code
    _require(agrees, f"{blow}: results.json says {report['exit_code']}, not {code}")
    results = [result for part in report["cells"] or [report] for result in part["results"]]
    return {result["criterion"]["arguments"]["name"]: result["verdict"] for result in results}


def _hold_verdicts(folder: Path, verdicts: dict[str, str], blow: Blow, code: int, errors: str, harm: str) -> None:
    """Nothing is invented: what is met has run. Nothing is lost: a run that was not ended answers for everything."""
    log = folder / "log"
    ran = Counter(log.read_text().split()) if log.exists() else Counter[str]()
    met = {name for name, verdict in verdicts.items() if verdict == "met"}
    _require(met <= ran.keys(), f"{blow}: met without having run: {met - ran.keys()}")
    _require(max(ran.values(), default=0) <= 1, f"{harm}, {blow}: run twice: {ran}, {verdicts}")
    _require("Traceback" not in errors, f"{blow}: {errors}")
    if code == DISK_IS_FULL:
        _require(harm == "disk", f"{blow}: exit code {code}: {errors}")
    elif blow.target == "worker" or blow.number is None:
        _require(code == 0 or blow.number is not None or harm == "flood", f"{blow}: exit code {code}: {errors}")
        allowed = {"met", "crash", "timeout"} if harm == "flood" else {"met", "crash"}
        _require(set(verdicts.values()) <= allowed, f"{blow}: no outcome: {verdicts}")
        _require((len(met) == len(verdicts)) or code != 0, f"{blow}: green, but {verdicts}")


def _require(holds: bool, complaint: str) -> None:  # noqa: FBT001 - reads as a sentence
    if not holds:
        raise AssertionError(complaint)


if __name__ == "__main__":
    main()
