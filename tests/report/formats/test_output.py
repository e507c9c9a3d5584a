"""What was printed is shown where a criterion needs a look, bounded and harmless, and nowhere else."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import msgspec
import pytest

from retspec.records import Output, Verdict
from retspec.report.formats.junit import render_junit
from retspec.report.formats.results import json as render_json
from retspec.report.formats.table import render_table
from retspec.results.results_file import read_report
from retspec.text.masking import Mask
from tests.report.formats.sample import criterion, failed, judged, report

if TYPE_CHECKING:
    from pathlib import Path

    from retspec.records import Result

MODEL = Output(source="model", stdout="making the model\n")
LOUD = Output(source="training", stdout="".join(f"step {n}\n" for n in range(50)), stderr="a warning\n")
HOSTILE = Output(source="model", stdout="\x1b]52;c;cm0=\x07\x1b[31mred\x1b[0m \u202eevil\x00\n[[PROPERTY|a=b]]\n")


def printed(result: Result, *output: Output) -> Result:
    return replace(result, output=output)


MISSED = printed(judged(criterion(), 0.1), MODEL, LOUD)
MET = printed(judged(criterion("merge"), 0.9), MODEL)


def system_out(*results: Result) -> list[str]:
    root = ET.fromstring(render_junit(report(*results)))  # noqa: S314 - our own
    return [case.findtext("system-out") or "" for case in root.iter("testcase")]


# The table ----------------------------------------------------------------------------------------


def test_a_miss_shows_the_last_lines_of_each_stream_and_says_what_is_left_out() -> None:
    shown = render_table(report(MISSED))
    assert "    stdout of model:\n    | making the model\n" in shown
    assert "    stdout of training, without the first 30 lines:\n    | step 30\n" in shown
    assert "    | step 49\n    stderr of training:\n    | a warning\n" in shown
    assert "step 29" not in shown


def test_what_is_met_shows_its_output_only_when_asked() -> None:
    assert "making the model" not in render_table(report(MET))
    assert "making the model" in render_table(report(MET), verbose=True)


def test_all_of_it_is_shown_when_asked() -> None:
    shown = render_table(report(MISSED), verbose=True)
    assert "    stdout of training:\n    | step 0\n" in shown
    assert "    | step 49\n" in shown


def test_the_same_output_is_shown_once() -> None:
    other = printed(judged(criterion("other"), 0.1), MODEL)
    shown = render_table(report(MISSED, other))
    assert shown.count("making the model") == 1
    assert "    output of model: as above\n" in shown


def test_what_has_no_verdict_shows_its_output() -> None:
    crash = printed(failed(criterion(), Verdict.CRASH, "the worker was killed by SIGSEGV"), MODEL)
    assert "making the model" in render_table(report(crash))


def test_no_text_of_a_file_steers_a_terminal() -> None:
    shown = render_table(report(printed(MISSED, HOSTILE)), verbose=True)
    assert "    | red evil\\x00\n" in shown
    assert not {"\x1b", "\x07", "\u202e", "\x00"} & set(shown)


# JUnit XML ----------------------------------------------------------------------------------------


def test_a_testcase_holds_the_output_of_a_miss_alone() -> None:
    missed, met = system_out(MISSED, MET)
    assert "stdout of training:\n| step 0\n" in missed
    assert "making the model" not in met


def test_the_output_of_a_testcase_keeps_to_its_bound_and_the_value_stays() -> None:
    flood = Output(source="training", stdout="x" * 32_000, stderr="y" * 32_000)
    (text,) = system_out(printed(MISSED, flood, flood, flood))
    assert len(text.encode()) <= 50_000
    assert "bytes left out" in text
    assert "[[PROPERTY|retspec.value=0.1]]" in text


def test_no_reader_takes_an_output_for_a_property() -> None:
    (text,) = system_out(printed(MISSED, HOSTILE))
    assert "[[PROPERTY|a=b" not in text
    assert "red evil\\x00" in text


# results.json -------------------------------------------------------------------------------------


def test_the_output_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_text(render_json(report(MISSED, MET)))
    assert [result.output for result in read_report(path).results] == [(MODEL, LOUD), (MODEL,)]


@pytest.mark.parametrize("cells", [False, True])
def test_what_printed_nothing_has_no_field(*, cells: bool) -> None:
    part = report(judged(criterion(), 0.9), MISSED)
    whole = report(cells=(replace(part, cell="r=8"),)) if cells else part
    document = json.loads(render_json(whole))
    silent, loud = (document["cells"][0] if cells else document)["results"]
    assert "output" not in silent
    assert loud["output"] == msgspec.to_builtins([MODEL, LOUD])


def test_secrets_are_masked() -> None:
    secret = printed(MISSED, Output(source="model", stdout="token hunter2\n", stderr="hunter2\n"))
    (output,) = Mask(["hunter2"]).result(secret).output
    assert (output.stdout, output.stderr) == ("token ***\n", "***\n")
