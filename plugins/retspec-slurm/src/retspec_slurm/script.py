"""What a node runs: a short script, the same for all tasks of an array, and a list in which it finds its own task."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from retspec.executors import OUTPUT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from retspec.executors import Task

UNSEEN, NO_FOLDER, NO_SETUP = 96, 97, 98
"""Exit codes of the script itself."""
PATIENCE = 60
"""Seconds in which the list must appear on a node: disks that nodes share show files late."""

_SCRIPT = f"""\
#!/bin/bash
# A task of retspec. Which one, and what it runs, is in a list that all tasks share.
list=%(list)s
for (( waited = 0; waited < {PATIENCE}; waited++ )); do [ -r "$list" ] && break; sleep 1; done
[ -r "$list" ] || exit {UNSEEN}
number=$(( SLURM_ARRAY_TASK_ID + %(first)s ))
. "$list"
if {{ : >> "$output"; }} 2> /dev/null; then exec >> "$output" 2>&1; fi
%(setup)scd -- "$folder" || exit {NO_FOLDER}
# The command takes the place of this shell, and so gets the signals that Slurm sends before it kills.
exec "${{command[@]}}"
"""
_SETUP = f"""\
{{
%s
}} || {{ echo "retspec: a line of resources.setup failed: "%s >&2; exit {NO_SETUP}; }}
"""


def listed(tasks: Sequence[Task]) -> str:
    """Return the list: a piece of Bash that sets `folder`, `output` and `command` for the task of a number."""
    return "\n".join(['case "$number" in', *map(_entry, range(len(tasks)), tasks), "esac", ""])


def _entry(number: int, task: Task) -> str:
    command = " ".join(map(_quoted, task.command(task.folder)))
    output = _quoted(str(task.folder / OUTPUT))
    return f"{number}) folder={_quoted(str(task.cwd))} output={output} command=({command}) ;;"


def script(at: Path, first: int, setup: Sequence[str]) -> str:
    """Return the script of an array.

    at: the list. first: the number of its first task there. setup: lines to run before the task; it is not started
    if one of them fails.
    """
    lines = "".join(_SETUP % (line, _quoted(line)) for line in setup)
    return _SCRIPT % {"list": _quoted(str(at)), "first": first, "setup": lines}


def _quoted(text: str) -> str:
    """Quote for Bash; sbatch refuses a script with the line ends of DOS, even inside of quotes."""
    return shlex.quote(text).replace("\r", "'$'\\r''")
