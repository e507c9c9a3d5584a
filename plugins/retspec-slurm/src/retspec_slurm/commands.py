"""Calling the commands of Slurm: never without a limit of time, never under the settings of another job."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from contextlib import suppress

from retspec.executors import EngineError

SECONDS = 60.0
"""How long a command may take. Slurm's own give up after some ten seconds, https://slurm.schedmd.com/slurm.conf.html
(MessageTimeout), unless something else holds them."""
_KEPT = frozenset({"SLURM_CLUSTERS", "SLURM_CONF", "SLURM_CONF_SERVER", "SLURM_JWT"})
_DROPPED = ("SLURM_", "SQUEUE_", "SCANCEL_", "SCONTROL_", "SBATCH_ARRAY", "SBATCH_WAIT")
"""Variables that change what the commands do, or what they print; and those of the job in which this may run."""


_PREFIX = re.compile(r"^\w+: (error: |fatal: )?(Batch job submission failed: )?")
_HINT = "Try "
"""How the line begins in which a command names its `--help`."""


def ask(*command: str, given: str = "") -> str:
    """Return what a command of Slurm prints.

    given: what it reads. Raises EngineError, in one line: there is no such command, no answer, or a refusal.
    """
    name = command[0]
    try:
        process = subprocess.Popen(  # noqa: S603 - a command of Slurm; no shell sees what a spec says
            command,
            env=_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="surrogateescape",
            start_new_session=True,  # Ctrl-C is for retspec alone: a job whose number was not read yet would stay
        )
    except OSError as error:
        raise EngineError(
            f"slurm: no `{name}` here ({error.strerror}); run retspec where jobs are submitted"
        ) from error
    with process:
        try:
            printed, errors = process.communicate(given, SECONDS)
        except BaseException as error:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            if isinstance(error, subprocess.TimeoutExpired):
                raise EngineError(f"slurm: no answer from `{name}` within {SECONDS:.0f} seconds") from None
            raise
    if process.returncode:
        raise EngineError(f"slurm: {_in_one_line(errors) or f'`{name}` ended with {process.returncode}'}")
    return printed


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name in _KEPT or not name.startswith(_DROPPED)}
    # Otherwise squeue forgets the tasks of an array behind the first 64 characters of their numbers.
    return {**kept, "SLURM_BITSTR_LEN": "0"}


def _in_one_line(errors: str) -> str:
    """Return what Slurm says, each sentence once and without `sbatch: error: ` in front of it."""
    said = [_PREFIX.sub("", line).strip() for line in errors.splitlines() if not line.startswith(_HINT)]
    return "; ".join(dict.fromkeys(filter(None, said)))
