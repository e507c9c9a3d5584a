"""JUnit XML as its readers see it: what was judged arrives whole in each of them, and nothing else does."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest
from junit2htmlreport.parser import Junit
from junitparser import Error, Failure, JUnitXml, Skipped
from lxml import etree

from retspec.records import Direction, Result, Verdict
from retspec.report.formats.junit import Family, render_junit
from tests.npm import installed
from tests.report.formats.sample import criterion, failed, judged, report, sample

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from retspec.records import Report

HOSTILE = "a|b\nc \x1b[31m]]> <![CDATA[x]]> <b>&amp; \"q\" 'p' [[ATTACHMENT|/etc/passwd]]"
SHOWN = "a|b c ]]> <![CDATA[x]]> <b>&amp; \"q\" 'p' [ [ATTACHMENT|/etc/passwd]]"
"""The same, on one line and harmless."""


@dataclass(frozen=True)
class Read:
    """One testcase as a reader understood it."""

    group: str
    name: str
    status: str
    seconds: float
    message: str
    output: str


def _status(result: Result) -> str:
    if result.verdict in {Verdict.MET, Verdict.WARNED}:
        return "passed"
    return "skipped" if result.verdict in {Verdict.SKIPPED, Verdict.WAIVED} else "failed"


def _by_junitparser(path: Path) -> list[Read]:
    status = {Failure: "failed", Error: "failed", Skipped: "skipped"}
    return [
        Read(
            group=suite.name,
            name=case.name,
            status=status[type(case.result[0])] if case.result else "passed",
            seconds=case.time,
            message=case.result[0].message if case.result else "",
            output=case.system_out,
        )
        for suite in JUnitXml.fromfile(str(path))
        for case in suite
    ]


def _by_junit2html(path: Path) -> list[Read]:
    document = Junit(str(path))
    assert document.html()
    return [
        Read(
            group=suite.name,
            name=case.name,
            status=str(case.outcome()),
            seconds=case.duration,
            message=case.skipped or case.failure_msg or "",
            output=case.stdout,
        )
        for suite in document.suites
        for case in suite.all()
    ]


def _by_ctrf(path: Path, program: Path) -> list[Read]:
    written = path.with_suffix(".json")
    subprocess.run([program, path.name, "--output", written.name], cwd=path.parent, check=True, capture_output=True)
    tests: list[dict[str, Any]] = json.loads(written.read_text())["results"]["tests"]
    return [
        Read(
            group=test["suite"][0],
            name=test["name"].partition(": ")[2],
            status=test["status"],
            seconds=test["duration"] / 1000,
            message=test.get("message", ""),
            output="\n".join(test.get("stdout", [])),
        )
        for test in tests
    ]


@pytest.fixture(params=["junitparser", "junit2html", "junit-to-ctrf"])
def read(request: pytest.FixtureRequest) -> Callable[[Path], list[Read]]:
    if request.param == "junit-to-ctrf":
        program = installed("junit-to-ctrf", "0.0.14")
        return lambda path: _by_ctrf(path, program)
    return {"junitparser": _by_junitparser, "junit2html": _by_junit2html}[request.param]


def _written(made: Report, family: Family, folder: Path) -> Path:
    path = folder / "junit.xml"
    path.write_text(render_junit(made, family=family), encoding="utf-8")
    return path


@pytest.mark.parametrize("family", ["rich", "strict"])
def test_names_statuses_durations_messages_and_values_arrive(
    read: Callable[[Path], list[Read]], family: Family, tmp_path: Path
) -> None:
    cases = read(_written(sample(), family, tmp_path))
    assert [case.name for case in cases] == [*(result.criterion.id for result in sample().results), "(run)"]
    for case, result in zip(cases, sample().results, strict=False):
        assert case.group == "lora_preflight"
        assert case.status == _status(result)
        assert case.seconds == pytest.approx(result.seconds)
        assert f"[[PROPERTY|retspec.verdict={result.verdict.value}]]" in case.output
        assert ("retspec.value=" in case.output) is (result.observed is not None)
        if case.status == "failed":
            assert case.message == result.reason
    assert cases[-1].status == "failed"
    assert "plugin 'retspec-broken' failed" in cases[-1].message


@pytest.mark.parametrize("family", ["rich", "strict"])
def test_a_stranger_s_text_arrives_as_text(read: Callable[[Path], list[Read]], family: Family, tmp_path: Path) -> None:
    hostile = report(
        judged(criterion("met"), 0.9, {HOSTILE: [HOSTILE]}),
        judged(criterion("missed", advice=HOSTILE), 0.1, {HOSTILE: HOSTILE}),
        failed(criterion("crashed"), Verdict.CRASH, HOSTILE, trace=HOSTILE),
        name="spec <]]>|",
    )
    met, missed, crashed = read(_written(hostile, family, tmp_path))
    assert (met.group, met.status, missed.status, crashed.status) == ("spec <]]>|", "passed", "failed", "failed")
    assert crashed.message == SHOWN
    assert SHOWN in met.output
    assert not any("[[ATTACHMENT" in case.output + case.message for case in (met, missed, crashed))


@pytest.mark.parametrize(
    "text",
    [
        *("[[ATTACHMENT|/etc/passwd]]", "[[PROPERTY|retspec.verdict=met]]", "[[ attachment |x]]", "[[[ATTACHMENT|x]]]"),
        *("[\x1b[0m[ATTACHMENT|x]]", "x\r[[ATTACHMENT|x]]", "[[ATTACHMENT|" + "x" * 60_000 + "]]"),
    ],
    ids=lambda text: repr(text[:30]),
)
def test_no_text_of_a_stranger_s_is_a_directive(text: str) -> None:
    held = criterion("held", unit=text, check=text, advice=text)
    results = [
        judged(held, 0.1, {text: [text, {text: text}]}),
        failed(criterion("failed"), Verdict.CRASH, text, trace=f"{text}\n{text}"),
        judged(criterion("exact", text, direction=Direction.EQUAL), text),
    ]
    root = etree.fromstring(render_junit(report(*results, faults=(text, text))).encode())
    texts = [*root.xpath("//text()"), *root.xpath("//@message")]
    lines = [line for each in texts for line in each.splitlines() if re.search(r"\[\[\s*\w+\s*\|", line)]
    assert len(lines) == 4 + 2 + 3, "value, verdict, limit, margin where there is one"
    for line in lines:
        assert re.fullmatch(
            r"\[\[PROPERTY\|retspec\.(value|verdict|limit|margin)=(?!.*\[\[\s*\w+\s*\|).*[^]]\]\]", line
        )
        assert line.count("]]") == 1


def _failing(count: int) -> Report:
    trace = "Traceback\n" + "  File somewhere\n" * 2_000
    return report(*[failed(criterion(f"c{n:04}"), Verdict.CRASH, "the worker died", trace=trace) for n in range(count)])


def test_the_size_grows_with_the_criteria_and_no_faster() -> None:
    sizes = [
        len(render_junit(report(*[judged(criterion(f"c{n:04}"), 0.9) for n in range(count)]))) for count in (500, 5_000)
    ]
    assert 9 * sizes[0] < sizes[1] < 10 * sizes[0]
    assert sizes[1] < 6_000_000


def test_thousands_of_failures_with_long_traces_stay_within_what_readers_take(tmp_path: Path) -> None:
    few, many = render_junit(_failing(10)), render_junit(_failing(5_000))
    assert len(few) > 10 * 30_000, "nothing is cut where there is room"
    assert len(many) < 25_000_000
    path = tmp_path / "junit.xml"
    path.write_text(many)
    cases = _by_junitparser(path)
    assert [case.name for case in cases] == [f"c{n:04}" for n in range(5_000)]
    assert {case.message for case in cases} == {"the worker died"}


def test_a_matrix_is_a_suite_per_cell_for_every_reader(read: Callable[[Path], list[Read]], tmp_path: Path) -> None:
    names = [f"rank_sweep[r={rank}]" for rank in (4, 8, 16, 32)]
    cells = tuple(replace(sample(), name=name, cell=name, faults=()) for name in names)
    made = replace(sample(), name="rank_sweep", results=(), faults=(), cells=cells)
    cases = read(_written(made, "rich", tmp_path))
    assert list(dict.fromkeys(case.group for case in cases)) == names
    assert len(cases) == 4 * len(sample().results)
