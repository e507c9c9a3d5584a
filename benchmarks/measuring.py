"""Running programs and reading what they cost: CPU time and peak memory as the kernel counts them, and wall time."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from tabulate import tabulate

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

ROOT = Path(__file__).resolve().parent.parent
SPEC = str(ROOT / "specs" / "lora_preflight.yaml")
BYTES_PER_RSS_UNIT = 1 if sys.platform == "darwin" else 1024

Command = list[str]


@dataclass(frozen=True)
class Cost:
    """What a process and the children that it waited for cost."""

    cpu: float
    """Seconds of user and system time, all of them together."""
    peak: float
    """Largest resident memory of any one of them, in MB."""
    wall: float
    """Seconds from its start to its end."""


@dataclass(frozen=True)
class Bound:
    """A figure of this run, and the bar that it must not exceed."""

    name: str
    value: float
    bar: float


def python(*arguments: str) -> Command:
    """Return the command that runs this interpreter."""
    return [sys.executable, *arguments]


def retspec(*arguments: str) -> Command:
    """Return the command that runs this checkout's retspec."""
    return python("-m", "retspec", *arguments)


def cost_of(command: Command) -> Cost:
    """Run a command to its end, in an empty folder, and return what it cost.

    A program that fails costs something else than one that works, so this ends the benchmark then.
    """
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile("w+") as output:
        started = time.perf_counter()
        process = subprocess.Popen(command, cwd=folder, env=_environment(), stdout=output, stderr=output)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            output.seek(0)
            sys.exit(f"{' '.join(command)} failed with exit code {process.returncode}:\n{output.read()}")
    return Cost(usage.ru_utime + usage.ru_stime, usage.ru_maxrss * BYTES_PER_RSS_UNIT / 1e6, wall)


def interleaved(commands: Mapping[str, Command], rounds: int, *, warm_up: int = 0) -> dict[str, list[Cost]]:
    """Run every command once per round, so that a machine that slows down slows all of them down.

    warm_up: rounds before the first one that counts; they fill the caches of the disk.
    """
    costs: dict[str, list[Cost]] = {name: [] for name in commands}
    for _ in range(warm_up + rounds):
        for name, command in commands.items():
            costs[name].append(cost_of(command))
    return {name: values[warm_up:] for name, values in costs.items()}


def median_ratio(values: Iterable[float], references: Iterable[float]) -> float:
    """Return the median over the rounds of value / reference of the same round."""
    return median(value / reference for value, reference in zip(values, references, strict=True))


def conclude(rows: Sequence[Sequence[object]], headers: Sequence[str], bounds: Sequence[Bound]) -> None:
    """Print what was measured and on what; exit with 1 when a bar is missed."""
    print(tabulate(rows, headers, floatfmt=".2f"))
    print()
    for bound in bounds:
        verdict = "met" if bound.value <= bound.bar else "MISSED"
        print(f"{bound.name}: {bound.value:.2f}, bar {bound.bar:g}: {verdict}")
    print(f"\n{machine()}")
    sys.exit(any(bound.value > bound.bar for bound in bounds))


def machine() -> str:
    """Return the facts about machine and libraries that the figures depend on, in one line."""
    libraries = ", ".join(f"{name} {version(name)}" for name in ("torch", "timm", "peft"))
    system = f"{platform.system()} {platform.machine()}, {_processor()}, {os.cpu_count()} cores"
    return f"{system}; Python {platform.python_version()}, {libraries}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.processor())


def _environment() -> dict[str, str]:
    """Return an environment with this checkout on the path, in which threads sleep while they wait for each other.

    By default they spin: beside any other program that would count waiting as work, often more than the work itself.
    Bytecode may be kept, as for every program that is installed.
    """
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**inherited, "PYTHONPATH": path, "OMP_WAIT_POLICY": "passive"}
