"""Annotations: workflow commands as the runner reads them, never more than it shows."""

from __future__ import annotations

import re
from urllib.parse import unquote

from retspec.judge import skipped
from retspec.records import Severity, Verdict
from retspec.report.formats.github import github as render
from tests.report.formats.sample import criterion, failed, judged, report, sample

COMMAND = re.compile(r"::(?P<level>error|warning|notice) (?P<properties>[^:]*)::(?P<message>.*)")


def parsed(text: str) -> list[tuple[str, dict[str, str], str]]:
    """Read commands as the runner does: properties end at `::`, are separated by `,`, and are unescaped."""
    matches = [COMMAND.fullmatch(line) for line in text.splitlines()]
    assert all(matches)
    return [
        (
            match["level"],
            {
                name: unquote(value)
                for name, _, value in (pair.partition("=") for pair in match["properties"].split(","))
            },
            unquote(match["message"]),
        )
        for match in matches
        if match
    ]


def test_a_miss_is_an_error_at_its_line_with_its_advice() -> None:
    ((level, properties, message),) = parsed(render(report(judged(criterion(), 0.31))))
    assert level == "error"
    assert properties == {
        "file": "specs/lora_preflight.yaml",
        "line": "22",
        "col": "3",
        "title": "loss_drop: missed",
    }
    assert message == (
        "loss_drop = 0.31, required at least 0.5 (short by 0.19)\nRaise the learning rate, or train for more steps."
    )


def test_nothing_that_a_stranger_wrote_ends_a_command_or_begins_one() -> None:
    hostile = "100% a:b,c\n::error::x\r\x1b[31m%0A"
    text = render(report(failed(criterion(mark=criterion().mark), Verdict.ERROR, hostile), name="n:a,m\n::e"))
    ((_, properties, message),) = parsed(text)
    assert message == "100% a:b,c ::error::x %0A"
    assert properties["title"] == "loss_drop: error"


def test_a_warning_warns_unless_the_run_is_strict() -> None:
    warned = judged(criterion(severity=Severity.WARN), 0.3)
    assert parsed(render(report(warned)))[0][0] == "warning"
    assert parsed(render(report(warned, strict=True)))[0][0] == "error"


def test_the_worst_comes_first_and_what_is_met_or_skipped_never() -> None:
    told = [properties["title"] for _, properties, _ in parsed(render(sample()))]
    assert told[:4] == [
        "lora_preflight: the run",
        "loss_drop: missed",
        "lora_layers: missed",
        "eval_drift: crash",
    ]
    assert not any(word in title for title in told for word in ("merge_atol", "compile_atol"))


def test_nine_are_shown_and_the_rest_is_counted() -> None:
    ten = [failed(criterion(f"c{n}"), Verdict.ERROR, f"reason {n}") for n in range(10)]
    assert len(parsed(render(report(*ten)))) == 10, "one more line would say no more than the tenth itself"
    shown = parsed(render(report(*ten, judged(criterion("missed"), 0.1))))
    assert len(shown) == 10
    assert shown[0][1]["title"] == "missed: missed"
    assert shown[-1][2] == "2 more; the reports have them all"


def test_one_cause_is_told_once() -> None:
    several = [failed(criterion(f"c{n}"), Verdict.ERROR, "the model cannot be built") for n in range(30)]
    ((_, properties, message),) = parsed(render(report(*several)))
    assert message == "the model cannot be built"
    assert properties["title"].startswith("c0, c1, ")
    assert len(properties["title"]) <= 200


def test_a_green_run_is_a_notice_and_an_empty_one_an_error() -> None:
    ((level, _, message),) = parsed(render(report(judged(criterion(), 0.9))))
    assert (level, message) == ("notice", "1 criterion: 1 met in 83.1 s")
    assert parsed(render(report(skipped(criterion(skip="later")))))[0] == (
        "error",
        {"title": "lora_preflight"},
        "nothing was judged",
    )
