"""The formats, byte for byte; `pytest --rewrite-golden` writes the files anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from retspec.report.formats.github import github
from retspec.report.formats.junit import junit, junit_strict
from retspec.report.formats.markdown import markdown
from retspec.report.formats.results import results
from retspec.report.formats.table import render_table, table
from tests.reporters.sample import sample

GOLDEN = Path(__file__).parent.parent / "golden"
RENDERERS = {
    "junit.xml": junit.render,
    "junit-strict.xml": junit_strict.render,
    "results.json": results.render,
    "summary.md": markdown.render,
    "annotations.txt": github.render,
    "table.txt": table.render,
    "table-verbose.txt": lambda report: render_table(report, verbose=True),
}


@pytest.mark.parametrize("name", RENDERERS)
def test_the_rendered_sample_is_the_golden_file(
    name: str, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # paths are told relative to where the program runs
    rendered = RENDERERS[name](sample()).encode()
    if request.config.getoption("--rewrite-golden", default=False):
        (GOLDEN / name).write_bytes(rendered)
    assert rendered == (GOLDEN / name).read_bytes(), "run `pytest --rewrite-golden` and look at the difference"
