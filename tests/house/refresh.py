"""Writes the generated parts of the repository anew: `python -m tests.house.refresh`.

These are the two schemas, the table of checks in the README and that of measurements in the page on plugins, each
between its two markers.
"""

from __future__ import annotations

from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING

from tabulate import tabulate

from retspec.cli import main
from retspec.plugins.catalog import gather

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
README, PLUGINS = "README.md", "docs/plugins.md"
SPEC_SCHEMA, RESULTS_SCHEMA = "schemas/spec.schema.json", "schemas/results.schema.json"
GENERATED = (README, PLUGINS, SPEC_SCHEMA, RESULTS_SCHEMA)
FIRST_MARKER, LAST_MARKER = "<!-- checks -->", "<!-- /checks -->"
HEADERS = ("check", "direction", "question")
MEASUREMENTS = ("measurement", "facts", "what it does")


def refresh(root: Path) -> None:
    """Write the generated parts below a folder; its README must be there, with both markers."""
    for path, options in ((SPEC_SCHEMA, ["--no-plugins"]), (RESULTS_SCHEMA, ["--results"])):
        (root / path).parent.mkdir(exist_ok=True)
        assert main(["schema", *options, "--output", str(root / path)]) == 0
    for path, filled in ((README, with_checks), (PLUGINS, with_measurements)):
        page = root / path
        page.write_text(filled(page.read_text(encoding="utf-8")), encoding="utf-8")


def with_checks(page: str) -> str:
    """Return a page with the table of the built-in checks between its markers.

    Raises ValueError when they do not stand there once each, in their order.
    """
    return _filled(page, FIRST_MARKER, LAST_MARKER, "\n\n".join(_tables()))


def with_measurements(page: str) -> str:
    """Return a page with the table of the built-in measurements between its markers, as `with_checks` does."""
    rows = [
        (f"`{name}`", f"`{found.function.__annotations__.get('return', '')}`", found.doc.partition("\n")[0])
        for name, found in gather(entry_points=False).measurements.items()
    ]
    table = tabulate(rows, MEASUREMENTS, tablefmt="github", disable_numparse=True)
    return _filled(page, "<!-- measurements -->", "<!-- /measurements -->", table)


def _filled(page: str, first: str, last: str, text: str) -> str:
    before, between = page.split(first)
    _, after = between.split(last)
    return f"{before}{first}\n\n{text}\n\n{last}{after}"


def _tables() -> Iterator[str]:
    """Yield a table per family, under its name."""
    checks = sorted(gather(entry_points=False).checks.values(), key=attrgetter("family", "name"))
    for family, members in groupby(checks, key=attrgetter("family")):
        rows = [(f"`{check.name}`", check.direction.value, check.question.replace("|", r"\|")) for check in members]
        yield f"**{family.capitalize()}**\n\n{tabulate(rows, HEADERS, tablefmt='github', disable_numparse=True)}"


if __name__ == "__main__":
    refresh(ROOT)
