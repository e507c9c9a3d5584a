"""`report`: recorded results in any format."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from retspec.report.formats.results import json as results_json
from retspec.report.page import render_page
from tests.report.formats.sample import sample


@pytest.fixture(autouse=True)
def _results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("results.json").write_text(results_json(sample()))


def test_results_become_a_page_and_the_page_anything_else(retspec: Any) -> None:
    assert retspec("report", "results.json", "-o", "r/report.html").code == 0
    assert Path("r/report.html").read_text() == render_page([sample()])
    finished = retspec("report", "r/report.html", "--format", "junit")
    assert (finished.code, finished.err) == (0, "")
    assert len(ET.fromstring(finished.out.encode()).findall(".//testcase")) == len(sample().results) + 1  # noqa: S314
    assert retspec("report", "r/report.html", "--format", "json").out == Path("results.json").read_text()


def test_a_page_is_compared_and_judged_like_its_results(retspec: Any) -> None:
    assert retspec("report", "results.json", "-o", "report.html").code == 0
    by_json, by_page = (retspec("compare", name, "results.json") for name in ("results.json", "report.html"))
    assert (by_page.code, by_page.out) == (0, by_json.out)


def test_several_results_are_for_html_alone(retspec: Any) -> None:
    assert 'Since <span class="since">2026-01-15' in retspec("report", "results.json", "results.json").out
    finished = retspec("report", "results.json", "results.json", "--format", "markdown")
    assert finished.code == 2
    assert "the format 'markdown' shows one run, and here are 2; html shows several" in finished.err


def test_the_results_are_never_overwritten(retspec: Any) -> None:
    before = Path("results.json").read_text()
    assert retspec("report", "results.json", "-o", "./results.json").code == 2
    assert Path("results.json").read_text() == before


def test_an_unknown_format_has_its_near_miss(retspec: Any) -> None:
    finished = retspec("report", "results.json", "--format", "htm")
    assert finished.code == 2
    assert "did you mean 'html'?" in finished.err


def test_the_formats_of_a_plugin_work_too(retspec: Any) -> None:
    Path("mine.py").write_text(
        "from retspec.plugin import hookimpl, reporter\n\n\n@reporter\ndef mine(report):\n    return report.name\n\n\n"
        "@hookimpl\ndef retspec_reporters():\n    return [mine]\n"
    )
    assert retspec("report", "results.json", "--format", "mine", "-p", "mine.py").out.strip() == "lora_preflight"
