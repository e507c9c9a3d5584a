"""The formats, byte for byte; `pytest --rewrite-golden` writes the files anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from retspec.report.formats import retspec_reporters
from retspec.report.formats.table import render_table
from tests.report.formats.sample import sample

GOLDEN = Path(__file__).parents[2] / "golden"
REPORTERS = {reporter.name: reporter for reporter in retspec_reporters()}
FILES = {
    "junit": "junit.xml",
    "junit-strict": "junit-strict.xml",
    "json": "results.json",
    "markdown": "summary.md",
    "github": "annotations.txt",
    "html": "report.html",
    "table": "table.txt",
}
"""The golden file of every reporter: one that is missing here is not tested."""
RENDERERS = {
    **{FILES[name]: reporter for name, reporter in REPORTERS.items() if name in FILES},
    "table-verbose.txt": lambda report: render_table(report, verbose=True),
}


def test_every_reporter_has_a_golden_file() -> None:
    assert {*REPORTERS} == {*FILES}, "name the golden file of each reporter in FILES, and run `pytest --rewrite-golden`"


@pytest.mark.parametrize("name", RENDERERS)
def test_the_rendered_sample_is_the_golden_file(
    name: str, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # paths are told relative to where the program runs
    rendered = RENDERERS[name](sample()).encode()
    if request.config.getoption("--rewrite-golden", default=False):
        (GOLDEN / name).write_bytes(rendered)
    assert rendered == (GOLDEN / name).read_bytes(), "run `pytest --rewrite-golden` and look at the difference"
