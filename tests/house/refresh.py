"""Writes the generated parts of the repository again: `python -m tests.house.refresh`.

These are the two schemas, the pages of the checks with their entries in the navigation of the documentation, the table
of measurements on the page for plugin authors, the captures of the page about the terminal, and the outputs of the
notebook, with the page that shows it.
"""

from __future__ import annotations

from pathlib import Path

from tabulate import tabulate

from retspec.cli import main
from retspec.plugins.catalog import gather
from tests.house import notebooks
from tests.house.captures import TERMINAL, with_captures
from tests.house.pages import FOLDER, navigation, pages

ROOT = Path(__file__).resolve().parents[2]
README = "README.md"
SITE = "zensical.toml"
PLUGINS = "docs/plugins.md"
SPEC_SCHEMA, RESULTS_SCHEMA = "schemas/spec.schema.json", "schemas/results.schema.json"
GENERATED = (SITE, PLUGINS, TERMINAL, SPEC_SCHEMA, RESULTS_SCHEMA)
"""What always has the same path; the pages of the checks come beside it."""
FIRST_MARKER, LAST_MARKER = "    # checks\n", "    # /checks\n"
MEASUREMENTS = ("measurement", "facts", "what it does")


def refresh(root: Path) -> None:
    """Write the generated parts below a folder; its `zensical.toml` must be there, with both markers."""
    for path, options in ((SPEC_SCHEMA, ["--no-plugins"]), (RESULTS_SCHEMA, ["--results"])):
        (root / path).parent.mkdir(exist_ok=True)
        assert main(["schema", *options, "--output", str(root / path)]) == 0
    made = pages(gather(entry_points=False))
    (root / FOLDER).mkdir(parents=True, exist_ok=True)
    for stale in set((root / FOLDER).glob("*.md")) - {root / path for path in made}:
        stale.unlink()
    for path, text in made.items():
        (root / path).write_text(text, encoding="utf-8")
    for path, filled in ((SITE, with_checks), (PLUGINS, with_measurements), (TERMINAL, with_captures)):
        text = (root / path).read_text(encoding="utf-8")
        (root / path).write_text(filled(text), encoding="utf-8")


def with_checks(settings: str) -> str:
    """Return the settings of the site with the built-in checks between the markers of the navigation.

    Raises ValueError when the markers are not there once each, in their order.
    """
    return _filled(settings, FIRST_MARKER, LAST_MARKER, navigation(gather(entry_points=False)))


def with_measurements(page: str) -> str:
    """Return a page with the table of the built-in measurements between its markers, as `with_checks` does."""
    rows = [
        (f"`{name}`", f"`{found.function.__annotations__.get('return', '')}`", found.doc.partition("\n")[0])
        for name, found in gather(entry_points=False).measurements.items()
    ]
    table = tabulate(rows, MEASUREMENTS, tablefmt="github", disable_numparse=True)
    return _filled(page, "<!-- measurements -->", "<!-- /measurements -->", f"\n\n{table}\n\n")


def _filled(page: str, first: str, last: str, text: str) -> str:
    before, between = page.split(first)
    _, after = between.split(last)
    return f"{before}{first}{text}{last}{after}"


def refresh_notebook(root: Path) -> None:
    """Run the notebook, and write it and its page."""
    made = notebooks.executed(notebooks.read(root))
    for path, text in ((notebooks.NOTEBOOK, notebooks.written(made)), (notebooks.PAGE, notebooks.page_of(made))):
        (root / path).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    refresh(ROOT)
    refresh_notebook(ROOT)
