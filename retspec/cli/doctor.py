"""`retspec doctor`: check whether torch and its companions work here, and say what to do if not.

Every probe runs in its own process, so that a broken library breaks only its own answer.
"""

from __future__ import annotations

import json
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from textwrap import fill
from time import perf_counter
from typing import Any

import click

from retspec._version import __version__
from retspec.characters import one_line
from retspec.cli.diagnostics.remedies import CPU_BUILD, NO_GPU, TOO_OLD, UNKNOWN, Remedy, last_line, remedy_for
from retspec.cli.options import Settings, examples, verbose_option
from retspec.cli.screen import say
from retspec.plugins.catalog import versions
from retspec.text.fitting import screen_width, wrapped
from retspec.text.wording import signal_name

NEEDED = {"torch": "2.10", "torchvision": "", "timm": "1.0.21", "peft": "0.21", "numpy": ""}
"""The packages that are tried, with the lowest version that retspec's metadata requires."""

WIDEST = 96
"""Columns of a text, on wider screens and in files too."""
TIMEOUT = 180.0
"""Seconds for one answer: the first import of torch takes a minute from a cold disk."""


@dataclass(frozen=True)
class Answer:
    """The answer of a probe; `facts` is None if it failed."""

    facts: Mapping[str, Any] | None
    stderr: str
    seconds: float = 0.0


@dataclass(frozen=True)
class Ailment:
    """One problem, and what it means."""

    symptom: str
    remedy: Remedy
    stderr: str = field(default="", compare=False)


@click.command("doctor", epilog=examples("retspec doctor"))
@verbose_option
@click.pass_context
def command(context: click.Context) -> None:
    """Check whether torch and its companions work here.

    Imports torch, torchvision, timm, peft and numpy and uses every device, each in its own process;
    explains known failures and how to fix them. Exits 0 if everything works, 1 otherwise.
    """
    say(f"python {platform.python_version()} ({sys.executable}), {platform.platform()}")
    click.echo(f"retspec {__version__}")
    ailments = [*_packages(), *_devices()]
    verbose = context.ensure_object(Settings).verbose
    for remedy in dict.fromkeys(ailment.remedy for ailment in ailments):
        click.echo(
            "\n" + _advice(remedy, [ailment for ailment in ailments if ailment.remedy == remedy], verbose=verbose)
        )
    ill = not all(ailment.remedy.harmless for ailment in ailments)
    click.echo("\nsomething is wrong: see above" if ill else "\nall is well")
    context.exit(int(ill))


def ask(*question: str) -> Answer:
    """Run `retspec.cli.diagnostics.probe` in a new process and return its answer."""
    start = perf_counter()
    try:
        done = subprocess.run(  # noqa: S603 - our own module, under the interpreter that runs us
            [sys.executable, "-m", "retspec.cli.diagnostics.probe", *question],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Answer(None, f"no answer within {TIMEOUT:g} s", TIMEOUT)
    seconds = perf_counter() - start
    if done.returncode < 0:
        return Answer(None, f"{done.stderr}\nkilled by {signal_name(-done.returncode)}", seconds)
    facts = None if done.returncode else json.loads(done.stdout.splitlines()[-1])
    return Answer(facts, done.stderr, seconds)


def diagnose(symptom_of: str, answer: Answer) -> Ailment | None:
    """Return the problem of a package or the devices; where they work, only a known warning counts."""
    remedy = remedy_for(answer.stderr)
    if answer.facts is None:
        return Ailment(f"{symptom_of}: {last_line(answer.stderr)}", remedy or UNKNOWN, answer.stderr)
    if remedy is not None:
        return Ailment(f"{symptom_of}: it works, with a warning", remedy, answer.stderr)
    return None


def _packages() -> Iterator[Ailment]:
    """Try every package, print a line about each, and yield what is wrong."""
    installed = versions(NEEDED)
    for name, needed in NEEDED.items():
        version = installed.get(name, "-")
        answer = ask("import", name)
        outcome = "fails" if answer.facts is None else "ok"
        _tell(f"{name:<12} {version:<16} import {outcome:<5} {answer.seconds:5.1f} s")
        if ailment := diagnose(name, answer):
            yield ailment
        elif is_older(version, needed):
            yield Ailment(f"{name} {version}", TOO_OLD.filled(name=name, needed=needed))


def _devices() -> Iterator[Ailment]:
    """Use every device, print a line about each, and yield what is wrong."""
    answer = ask("devices")
    if ailment := diagnose("devices", answer):
        yield ailment
    if answer.facts is None:
        return
    for device in answer.facts["devices"]:
        _tell(f"device       {device}")
    yield from () if ailment else _mismatch(answer.facts["cuda_build"], len(answer.facts["devices"]))


def _mismatch(build: str, devices: int) -> Iterator[Ailment]:
    """Yield a note if the build of torch does not suit the machine; the CPU is always a device."""
    if build and devices == 1:
        yield Ailment("devices: the CPU only", NO_GPU.filled(build=build))
    elif not build and shutil.which("nvidia-smi"):
        yield Ailment("devices: no GPU", CPU_BUILD)


def is_older(version: str, needed: str) -> bool:
    """Return whether a version such as `2.9.1+cpu` is below another; one that cannot be read is not."""
    return bool(needed) and version[:1].isdigit() and _numbers(version) < _numbers(needed)


def _numbers(version: str) -> list[int]:
    release = version.partition("+")[0].split(".")
    return [int(part) for part in release if part.isdigit()]


def _advice(remedy: Remedy, ailments: list[Ailment], *, verbose: bool) -> str:
    """Return what is wrong, once for all that have the same cause."""
    mark = "note" if remedy.harmless else "problem"
    width = screen_width()
    lines = [wrapped(f"{mark}: {ailment.symptom}", width) for ailment in ailments]
    lines += [_wrapped(label, text, width) for label, text in (("why: ", remedy.why), ("do: ", remedy.remedy))]
    return "\n".join(lines + [ailment.stderr for ailment in ailments if verbose])


def _wrapped(label: str, text: str, width: int | None) -> str:
    return fill(
        text,
        min(width or WIDEST, WIDEST),
        initial_indent=f"  {label:<6}",
        subsequent_indent=" " * 8,
        break_on_hyphens=False,
        break_long_words=False,
    )


def _tell(line: str) -> None:
    """Print a line of columns, without their alignment where the screen is narrower."""
    width = screen_width()
    say(line if width is None or len(line) <= width else one_line(line))
