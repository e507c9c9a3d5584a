"""Writes the table of traps in the plugin's README from the specs in `traps`: `python tests/retfound_traps.py`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import yaml
from tabulate import tabulate

HERE = Path(__file__).parent
README = HERE.parent / "README.md"
FIRST_MARKER, LAST_MARKER = "<!-- traps -->", "<!-- /traps -->"
HEADERS = ("trap", "check", "what it says")


@dataclass(frozen=True)
class Trap:
    """A spec in which one thing is wrong."""

    path: Path
    what: str
    says: str
    """Part of the verdict's reason or details."""
    check: str


def traps() -> list[Trap]:
    """Return every trap, by the name of its file."""
    return [_trap(path) for path in sorted((HERE / "traps").glob("*.yaml"))]


def with_traps(page: str) -> str:
    """Return a page with the table between its markers; raises ValueError unless each marker occurs once."""
    before, between = page.split(FIRST_MARKER)
    _, after = between.split(LAST_MARKER)
    rows = [(trap.what, f"`{trap.check}`", trap.says) for trap in traps()]
    table = tabulate(rows, HEADERS, tablefmt="github", disable_numparse=True)
    return f"{before}{FIRST_MARKER}\n\n{table}\n\n{LAST_MARKER}{after}"


def _trap(path: Path) -> Trap:
    text = path.read_text(encoding="utf-8")
    what, says = (re.findall(rf"^# {key}: (.+)$", text, re.MULTILINE)[0] for key in ("trap", "says"))
    (check,) = yaml.safe_load(text)["checks"]
    return Trap(path, what, says, check)


if __name__ == "__main__":
    README.write_text(with_traps(README.read_text(encoding="utf-8")), encoding="utf-8")
