"""JUnit XML, the rich family: one test per rule that some reader needs."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from junitparser import Error, Failure, JUnitXml, Skipped
from lxml import etree

from retspec.errors import Mark
from retspec.judge import skipped
from retspec.records import Direction, Result, Verdict
from retspec.report.formats.junit import Warnings, render_junit
from tests.report.formats.sample import TODAY, criterion, failed, judged, report, sample, waiver

if TYPE_CHECKING:
    from pathlib import Path

    from retspec.records import Report

TYPES = {
    Verdict.MISSED: ("failure", "retspec.LimitMissed"),
    Verdict.INCONCLUSIVE: ("error", "retspec.Inconclusive"),
    Verdict.ERROR: ("error", "retspec.CheckError"),
    Verdict.TIMEOUT: ("error", "retspec.Timeout"),
    Verdict.CRASH: ("error", "retspec.Crash"),
    Verdict.OUT_OF_MEMORY: ("error", "retspec.OutOfMemory"),
    Verdict.NOT_RUN: ("error", "retspec.NotRun"),
}


def _parsed(*reports: Report, warnings: Warnings | None = None) -> etree._Element:
    return etree.fromstring(render_junit(*reports, warnings=warnings).encode())


def _case(root: etree._Element, name: str) -> etree._Element:
    (case,) = [case for case in root.iter("testcase") if case.get("name") == name]
    return case


def _one(verdict: Verdict, number: int) -> Result:
    held = criterion(f"check_{number}", warn=0.9, waive=waiver() if verdict is Verdict.WAIVED else None)
    decided = {Verdict.MET: 0.95, Verdict.WARNED: 0.7, Verdict.MISSED: 0.1, Verdict.WAIVED: 0.1}
    if verdict is Verdict.SKIPPED:
        return skipped(held)
    return judged(held, decided[verdict]) if verdict in decided else failed(held, verdict, "because")


def test_suites_are_flat_and_one_per_report() -> None:
    root = _parsed(sample(), report(judged(criterion(), 0.9), name="other"))
    assert [child.tag for child in root] == ["testsuite", "testsuite"]
    assert [suite.get("name") for suite in root] == ["lora_preflight", "other"]
    assert [suite.get("id") for suite in root] == ["0", "1"]
    assert not root.xpath("//testsuite//testsuite")
    assert {*root.attrib} == {"name", "tests", "failures", "errors", "time"}


def test_the_counters_are_those_of_the_testcases() -> None:
    root = _parsed(sample(), sample())
    for element in (root, *root):
        assert int(element.get("tests")) == len(element.findall(".//testcase"))
        assert int(element.get("failures")) == len(element.findall(".//failure"))
        assert int(element.get("errors")) == len(element.findall(".//error"))
    assert int(root[0].get("skipped")) == len(root[0].findall(".//skipped")) == 2


def test_a_suite_says_when_where_and_of_what_it_speaks() -> None:
    suite = _parsed(sample())[0]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", suite.get("timestamp"))
    assert (suite.get("hostname"), suite.get("time")) == ("runner-7", "83.100")
    facts = {item.get("name"): item.get("value") for item in suite.findall("properties/property")}
    assert facts["seed"] == "42"
    assert facts["spec_sha256"] == "0f" * 32
    assert facts["version.torch"] == "2.10.0"
    assert facts["plugin.retspec-retfound"] == "0.1.0"
    assert all(facts.values())


def test_a_report_without_provenance_has_a_host_all_the_same() -> None:
    assert _parsed(report(judged(criterion(), 0.9)))[0].get("hostname") == "localhost"


@pytest.mark.parametrize("name", ["", " ", "\n", "[[ATTACHMENT|x]]", "a\tb"])
def test_every_suite_has_a_name_of_one_line_that_is_no_classname(name: str) -> None:
    suite = _parsed(report(judged(criterion(), 0.9), name=name))[0]
    assert suite.get("name")
    assert suite.get("name").splitlines() == [suite.get("name")]
    assert suite[1].get("classname") != suite.get("name")


def test_a_testcase_is_named_by_spec_and_criterion_and_stays_so() -> None:
    slow, fast = (_parsed(report(judged(criterion(), value), seconds=value)) for value in (0.31, 0.98))
    keys = [[(case.get("classname"), case.get("name")) for case in root.iter("testcase")] for root in (slow, fast)]
    assert keys == [[("retspec.lora_preflight", "loss_drop")]] * 2
    assert slow[0].get("name") != "retspec.lora_preflight"


def test_testcases_are_unique_across_the_run_even_when_two_specs_share_a_name() -> None:
    root = _parsed(sample(), report(*sample().results, file="specs/other.yaml"))
    keys = [(case.get("classname"), case.get("name")) for case in root.iter("testcase")]
    assert len({*keys}) == len(keys)


def test_a_testcase_has_its_place_in_the_spec_and_its_time() -> None:
    case = _case(_parsed(sample()), "loss_drop")
    assert (case.get("file"), case.get("line"), case.get("time")) == (
        "specs/lora_preflight.yaml",
        "22",
        "0.250",
    )


@pytest.mark.parametrize("inside", [".", "deep/down"])
def test_files_are_relative_to_the_root_of_the_checkout(
    inside: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".git").mkdir()
    here = tmp_path / inside
    here.mkdir(parents=True, exist_ok=True)
    monkeypatch.chdir(here)
    absolute = judged(criterion("a", mark=Mark(str(tmp_path / "specs" / "s.yaml"), 1, 1)), 0.9)
    relative = judged(criterion("b", mark=Mark("../s.yaml", 1, 1)), 0.9)
    root = _parsed(report(absolute, relative))
    assert _case(root, "a").get("file") == "specs/s.yaml"
    if inside != ".":
        assert _case(root, "b").get("file") == "deep/s.yaml"


def test_a_file_outside_of_checkout_and_working_directory_keeps_its_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    root = _parsed(report(judged(criterion(mark=Mark("../s.yaml", 1, 1)), 0.9)))
    assert _case(root, "loss_drop").get("file") == (tmp_path / "s.yaml").as_posix()


def test_every_verdict_has_its_element_and_its_dotted_type() -> None:
    root = _parsed(sample())
    for result in sample().results:
        case = _case(root, result.criterion.id)
        judgements = [child for child in case if child.tag in {"failure", "error", "skipped"}]
        if result.verdict in {Verdict.MET, Verdict.WARNED}:
            assert judgements == []
        elif result.verdict in {Verdict.SKIPPED, Verdict.WAIVED}:
            assert [(child.tag, child.get("type")) for child in judgements] == [("skipped", None)]
        else:
            assert [(child.tag, child.get("type")) for child in judgements] == [TYPES[result.verdict]]
    assert {result.verdict for result in sample().results} == {*Verdict}


def test_a_waived_miss_is_skipped_with_the_waiver_as_its_message_and_the_miss_behind() -> None:
    case = _case(_parsed(sample()), "frozen_drift")
    (skipped_,) = case.findall("skipped")
    message = "waived until 2026-01-15: BatchNorm is thawed on purpose (ada)"
    assert skipped_.get("message") == message
    assert skipped_.text.splitlines() == [
        message,
        f"frozen_drift = 2 tensors, required at most 0 tensors (over by 2 tensors); {message}",
        "first: blocks.0.norm.running_mean",
        "Advice: Freeze.",
    ]
    assert "[[PROPERTY|retspec.value=2]]" in case.findtext("system-out")


def test_an_expired_waiver_is_a_failure() -> None:
    expired = judged(criterion(waive=waiver(TODAY)), 0.1, today=TODAY + timedelta(days=1))
    failure = _case(_parsed(report(expired)), "loss_drop").find("failure")
    assert failure.get("message").endswith("; its waiver by ada ended on 2026-01-15")


def test_the_message_is_the_first_line_of_the_text_then_details_then_advice() -> None:
    failure = _case(_parsed(sample()), "loss_drop").find("failure")
    assert failure.get("message") == "loss_drop = 0.31, required at least 0.5 (short by 0.19)"
    lines = failure.text.splitlines()
    assert lines[0] == failure.get("message")
    assert lines[1].startswith("losses: 1.6, ")
    assert lines[-1] == "Advice: Raise the learning rate, or train for more steps."


def test_every_message_is_one_short_line_repeated_in_the_text() -> None:
    long = failed(criterion("long"), Verdict.ERROR, "first\nsecond " + "x" * 5_000, trace="the end of stderr")
    root = _parsed(report(long, *sample().results))
    for child in root.xpath("//failure | //error | //skipped"):
        assert len(child.get("message")) < 500
        assert "\n" not in child.get("message")
        assert child.text.splitlines()[0] == child.get("message")
    text = _case(root, "long").find("error").text
    assert "first\nsecond " + "x" * 5_000 in text, "nothing of the reason is lost"
    assert text.endswith("the end of stderr")


def test_no_sign_stands_where_a_word_must() -> None:
    text = render_junit(report(*[each for each in sample().results if each.criterion.id != "compile_atol"]))
    assert not re.search(r"&lt;|&gt;", text)


def test_value_and_limit_are_in_the_output_of_every_criterion() -> None:
    root = _parsed(sample())
    for result in sample().results:
        lines = _case(root, result.criterion.id).find("system-out").text.splitlines()
        assert re.search(r"required (at most|at least|exactly) \S", lines[0])
        assert any(line.startswith("[[PROPERTY|retspec.limit=") for line in lines)
        assert any(line.startswith("[[PROPERTY|retspec.value=") for line in lines) == bool(result.observed)
    assert "[[PROPERTY|retspec.value=791557]]" in _case(root, "max_trainable_params").find("system-out").text
    assert "[[PROPERTY|retspec.margin=208443]]" in _case(root, "max_trainable_params").find("system-out").text


def test_a_value_cannot_end_its_property_early() -> None:
    held = criterion("dtype", "a", direction=Direction.EQUAL)
    output = _case(_parsed(report(judged(held, "x]]\n[[ATTACHMENT|/etc/passwd]]"))), "dtype").find("system-out").text
    assert "[[PROPERTY|retspec.value=x] ] [ [ATTACHMENT|/etc/passwd] ] ]]" in output
    assert "[[ATTACHMENT" not in output


def test_properties_of_a_testcase_never_change_with_what_was_measured() -> None:
    properties = [
        etree.tostring(_case(_parsed(report(each)), "loss_drop").find("properties"))
        for each in (
            judged(criterion(), 0.9),
            judged(criterion(), 0.1),
            failed(criterion(), Verdict.CRASH, "x"),
        )
    ]
    assert len({*properties}) == 1
    assert b'name="limit" value="0.5"' in properties[0]
    assert b'name="direction" value="at least"' in properties[0]


@pytest.mark.parametrize("shift", ["", "x"], ids=["even", "odd"])
def test_the_output_is_capped_head_and_tail_between_characters(shift: str) -> None:
    details = {shift: 0} | {f"key {number}": "ü" * 900 for number in range(200)} | {f"{shift} ": 0}
    case = _case(_parsed(report(judged(criterion(), 0.1, details))), "loss_drop")
    for element in (case.find("system-out"), case.find("failure")):
        assert 49_000 < len(element.text.encode()) <= 50_000
        assert element.text.startswith("loss_drop = 0.1, required at least 0.5")
        assert "\ufffd" not in element.text, "no character is cut in half"
        assert re.search(r"\n\[[0-9,]{5,} bytes left out\]\n", element.text)
    assert case.find("failure").text.endswith("Advice: Raise the learning rate, or train for more steps.")


@pytest.mark.parametrize(("warnings", "tags"), [("pass", []), ("skip", ["skipped"]), ("fail", ["failure"])])
def test_a_warning_is_a_line_in_the_output_and_what_the_user_decides(warnings: Warnings, tags: list[str]) -> None:
    case = _case(_parsed(sample(), warnings=warnings), "peak_memory_mb")
    assert case.find("system-out").text.startswith("WARN peak_memory_mb = 7,000 MB, required at most 8,000 MB")
    assert [child.tag for child in case if child.tag not in {"properties", "system-out"}] == tags


def test_faults_of_the_run_are_a_testcase_in_error() -> None:
    root = _parsed(report(judged(criterion(), 0.9), faults=("disk full", "plugin broke"), interrupted=15))
    error = _case(root, "(run)").find("error")
    assert error.get("type") == "retspec.CheckError"
    assert error.text.splitlines() == ["disk full", "plugin broke", "the run was interrupted by SIGTERM"]
    assert (root.get("errors"), root.get("tests")) == ("1", "2")


@example(verdicts=[Verdict.WARNED], strict=True, faults=(), interrupted=0)
@given(
    verdicts=st.lists(st.sampled_from(Verdict), max_size=6),
    strict=st.booleans(),
    faults=st.sampled_from([(), ("x",)]),
    interrupted=st.sampled_from([0, 2]),
)
def test_the_file_is_red_exactly_when_the_exit_code_is_not_0(
    verdicts: list[Verdict],
    *,
    strict: bool,
    faults: tuple[str, ...],
    interrupted: int,
) -> None:
    results = [_one(verdict, number) for number, verdict in enumerate(verdicts)]
    made = report(*results, strict=strict, faults=faults, interrupted=interrupted)
    root = _parsed(made)
    assert (root.get("failures") != "0" or root.get("errors") != "0") == (made.exit_code != 0)


def test_thousands_of_criteria_are_all_there() -> None:
    results = [_one([*Verdict][number % len(Verdict)], number) for number in range(5_000)]
    root = _parsed(report(*results))
    assert [case.get("name") for case in root.iter("testcase")] == [f"check_{number}" for number in range(5_000)]


def test_junitparser_reads_what_was_written() -> None:
    document = JUnitXml.fromstring(render_junit(sample()).encode())
    (suite,) = document
    cases = {case.name: case for case in suite}
    assert (document.tests, document.failures, document.errors) == (19, 2, 9)
    assert [type(each) for each in cases["loss_drop"].result] == [Failure]
    assert [type(each) for each in cases["step_time_ms"].result] == [Error]
    assert [type(each) for each in cases["compile_atol"].result] == [Skipped]
    assert cases["merge_atol"].is_passed
    assert cases["loss_drop"].result[0].type == "retspec.LimitMissed"
    assert "retspec.value=0.31" in cases["loss_drop"].system_out
    document.update_statistics()
    assert (document.tests, document.failures, document.errors, document.skipped) == (19, 2, 9, 2)
