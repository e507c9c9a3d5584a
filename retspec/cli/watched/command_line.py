"""What a user types to start a training, as the section `train` of a spec."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retspec.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

_PYTHON = re.compile(r"python(\d+(\.\d+)*)?w?t?")
_HARMLESS = {"-u", "-B"}
"""Options of the interpreter that change nothing in a training: output without a buffer, no bytecode on the disk."""
_LAUNCHERS = {
    *("torchrun", "accelerate", "deepspeed", "horovodrun", "mpirun", "srun"),
    *("torch.distributed.run", "torch.distributed.launch", "accelerate.commands.launch"),
}
"""Programs and modules that start a training in processes of their own."""


@dataclass(frozen=True)
class CommandLine:
    """A training as a spec names it."""

    source: str
    """script, module or callable."""
    value: str
    arguments: tuple[str, ...]
    typed: str
    """What the user typed."""
    cpu_ok: bool = False
    """Whether `torch.cuda.synchronize` is to do nothing where there is no GPU."""

    def section(self, steps: int, *, value: str = "") -> dict[str, Any]:
        """Return the section `train`; value: how the spec names the script, where it is not as it was typed."""
        arguments = {"args": list(self.arguments)} if self.arguments else {}
        cpu_ok = {"cpu_ok": True} if self.cpu_ok else {}
        return {self.source: value or self.value, **arguments, **cpu_ok, "steps": steps}


def parse(words: Sequence[str], *, cpu_ok: bool = False) -> CommandLine:
    """Return what `python train.py …`, `python -m package.module …`, `train.py …` or a console script starts.

    A console script is the function behind an installed entry point:
    https://packaging.python.org/en/latest/specifications/entry-points/#use-for-scripts
    Raises UsageError for anything else.
    """
    first, rest = words[0], list(words[1:])
    typed = shlex.join(words)
    if _PYTHON.fullmatch(Path(first).name):
        source, value, arguments = _of_python(first, rest)
    elif first.endswith(".py") or Path(first).is_file():
        source, value, arguments = "script", _script(first), rest
    else:
        source, value, arguments = "callable", _console_script(first), rest
    return CommandLine(source, value, tuple(arguments), typed, cpu_ok)


def _of_python(python: str, words: list[str]) -> tuple[str, str, list[str]]:
    while words and words[0] in _HARMLESS:
        words = words[1:]
    match words:
        case ["-m", module, *rest]:
            if module in _LAUNCHERS:
                raise _launcher(f"{python} -m {module}")
            return "module", module, rest
        case [script, *rest] if not script.startswith("-"):
            return "script", _script(script), rest
        case [option, *_]:
            raise UsageError(
                f"{python} {option}: only a script or `-m MODULE` can be watched, with the options "
                f"{' and '.join(sorted(_HARMLESS))} of Python before it"
            )
    raise UsageError(f"{python}: name the training that it runs, as in `retspec watch -- {python} train.py`")


def _script(name: str) -> str:
    if Path(name).is_file():
        return name
    if Path(name).is_dir():
        raise UsageError(f"{name} is a folder; name the script in it")
    near = did_you_mean(name, [str(path) for path in Path(name).parent.glob("*.py")])
    raise UsageError(f"there is no file {name!r}{near}")


def _console_script(name: str) -> str:
    if name in _LAUNCHERS:
        raise _launcher(name)
    scripts = entry_points(group="console_scripts")
    if found := [script for script in scripts if script.name == name]:
        return f"{found[0].module}:{found[0].attr}"
    near = did_you_mean(name, [*(script.name for script in scripts), *map(str, Path().glob("*.py"))])
    raise UsageError(
        f"{name!r} is neither a script nor a command of an installed package{near or '; write `python train.py …`'}"
    )


def _launcher(name: str) -> UsageError:
    return UsageError(
        f"{name} starts the training in processes of its own, which cannot be watched; write `python train.py …`, as "
        "for one process"
    )
