"""Logs of CI servers, which take some lines for commands: what retspec prints of others must be none.

GitHub Actions: `::name::` at the begin of a line, `##[name]` anywhere
(https://docs.github.com/actions/reference/workflow-commands-for-github-actions). Azure Pipelines: `##vso[…]`. TeamCity:
`##teamcity[…]`.
"""

from __future__ import annotations

import os
import re
import sys
from contextlib import contextmanager
from io import TextIOWrapper
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_SERVERS = ("GITHUB_ACTIONS", "TF_BUILD", "TEAMCITY_VERSION")
_COMMAND = re.compile(r"(?m)^\s*:(?=:)|##(?:vso|teamcity)?(?=\[)")
"""All of a command but the character that makes it one: a backslash comes before that."""


class CILog(TextIOWrapper):
    """A stream to a log that breaks every command in what is written, by a backslash; `command` writes one."""

    def __init__(self, stream: TextIOWrapper) -> None:
        self._line = ""
        """What is written of a line that has not ended: a command may come about in two pieces."""
        super().__init__(
            stream.buffer, encoding=stream.encoding, errors=stream.errors, line_buffering=True, write_through=True
        )

    def write(self, text: str) -> int:
        """Write a text and return its length."""
        whole = self._line + text
        super().write(_broken(whole, len(self._line)))
        self._line = whole.rpartition("\n")[2]
        return len(text)

    def command(self, text: str) -> None:
        """Write commands of retspec's own, as lines."""
        super().write(text)


def _broken(whole: str, begun: int) -> str:
    """Return what follows after `begun` characters that are written already, with every command broken."""
    pieces, end = [], begun
    for found in _COMMAND.finditer(whole):
        place = found.end()
        if place >= begun:
            pieces += [whole[end:place], "\\"]
            end = place
    return "".join([*pieces, whole[end:]])


@contextmanager
def safe_logs() -> Iterator[None]:
    """Let both standard streams write no command of a CI server, if there is one."""
    if not any(os.environ.get(name) for name in _SERVERS):
        yield
        return
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (CILog(each) if isinstance(each, TextIOWrapper) else each for each in before)
    try:
        yield
    finally:
        for made in (sys.stdout, sys.stderr):
            if isinstance(made, CILog) and made not in before:
                made.detach()
        sys.stdout, sys.stderr = before


def write_commands(text: str) -> None:
    """Write commands of retspec's own to the standard output."""
    if isinstance(sys.stdout, CILog):
        sys.stdout.command(text)
    else:
        sys.stdout.write(text)
    sys.stdout.flush()
