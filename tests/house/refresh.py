"""Writes the generated parts of the repository again: `python -m tests.house.refresh`.

These are the two schemas, the pages of the checks, and their entries in the navigation of the documentation.
"""

from __future__ import annotations

from pathlib import Path

from retspec.cli import main
from retspec.plugins.catalog import gather
from tests.house.pages import FOLDER, navigation, pages

ROOT = Path(__file__).resolve().parents[2]
README = "README.md"
SITE = "zensical.toml"
SPEC_SCHEMA, RESULTS_SCHEMA = "schemas/spec.schema.json", "schemas/results.schema.json"
GENERATED = (SITE, SPEC_SCHEMA, RESULTS_SCHEMA)
"""What always has the same path; the pages of the checks come beside it."""
FIRST_MARKER, LAST_MARKER = "    # checks\n", "    # /checks\n"


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
    site = root / SITE
    site.write_text(with_checks(site.read_text(encoding="utf-8")), encoding="utf-8")


def with_checks(settings: str) -> str:
    """Return the settings of the site with the built-in checks between the markers of the navigation.

    Raises ValueError when the markers are not there once each, in their order.
    """
    before, between = settings.split(FIRST_MARKER)
    _, after = between.split(LAST_MARKER)
    return f"{before}{FIRST_MARKER}{navigation(gather(entry_points=False))}{LAST_MARKER}{after}"


if __name__ == "__main__":
    refresh(ROOT)
