"""Files of ours that were read back, and files that are none."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from retspec.errors import UsageError
from retspec.records import Baseline, Blessing
from retspec.report.formats.results import json as render
from retspec.report.page import render_page
from retspec.results.results_file import read_baseline, read_report
from tests.report.formats.sample import report, sample
from tests.review.recorded import read_back

if TYPE_CHECKING:
    from pathlib import Path


def test_a_report_is_read_as_it_was_written() -> None:
    finite = report(*(result for result in sample().results if result.criterion.id != "max_final_loss"))
    assert read_back(finite) == finite
    assert read_back(sample()).exit_code == sample().exit_code


def test_a_file_that_says_only_what_it_must_becomes_any_report(tmp_path: Path) -> None:
    least = {"retspec": 1, "name": "a", "file": "a", "started": "2026-01-31T09:30:00", "results": []}
    path = tmp_path / "results.json"
    for document in (least, least | {"cells": [least | {"cell": "r=1"}]}):
        path.write_text(json.dumps(document))
        read = read_report(path)
        assert [*map(len, (render(read), render_page([read])))] > [100, 1000]
        assert read_back(read) == read


def edited(**changes: Any) -> str:
    return json.dumps(json.loads(render(sample())) | changes)


FIRST = json.loads(render(sample()))["results"][0]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "this is not JSON: Input data was truncated"),
        ("{", "this is not JSON: "),
        ("\udcff", "this is not JSON: "),
        ("[" * 100_000, "this is not JSON: "),
        ("[]", "this is not a results.json"),
        ('{"retspec": 1, "checks": {}}', "this is not a results.json"),
        (edited(retspec=2), "version 2 of the format; this retspec reads version 1"),
        (edited(retspec=True), "version True of the format"),
        (edited(results=None), r"it is damaged: Expected `array`, got `null` - at `$.results`"),
        (edited(results=[FIRST | {"verdict": "green"}]), "it is damaged: Invalid enum value 'green'"),
        (
            edited(results=[FIRST, FIRST], exit_code=0),
            "it is damaged: the criterion 'max_trainable_params' is in it more than once",
        ),
        (edited(seconds=-1.0), "it is damaged: `seconds` is -1, which no run comes to"),
        (edited(seconds=1e300), "it is damaged: `seconds` is 1e+300, which no run comes to"),
        (edited(unselected=-1), "it is damaged: `unselected` is -1, which no run comes to"),
        (edited(exit_code=0), "it is damaged: its exit_code is not that of its verdicts, which is 1"),
    ],
)
def test_what_is_no_results_file_is_told_in_one_line(text: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(UsageError) as refusal:
        read_report(path)
    assert str(refusal.value).startswith(f"{path}: {says}")
    assert len(str(refusal.value).splitlines()) == 1


def test_a_missing_file_gets_its_near_miss(tmp_path: Path) -> None:
    (tmp_path / "results.json").touch()
    with pytest.raises(UsageError, match=r"result\.json: there is no such file; did you mean 'results\.json'\?"):
        read_report(tmp_path / "result.json")
    with pytest.raises(UsageError, match="cannot be read: Is a directory"):
        read_report(tmp_path)


def test_results_are_no_baseline(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_text(render(sample()))
    with pytest.raises(UsageError, match="this is not a baseline, as `retspec bless` writes it"):
        read_baseline(path)


def test_a_record_of_a_baseline_cannot_lack_who_and_why() -> None:
    with pytest.raises(TypeError, match="who"):
        Blessing(reason="", when="")  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="blessed"):
        Baseline(subject={}, subject_sha256="", values={})  # type: ignore[call-arg]
