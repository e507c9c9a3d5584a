"""A spec collected by pytest: one item per criterion, one run for all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from tests.testing.conftest import WriteSpec

    Session = Callable[..., pytest.RunResult]
    Calls = Callable[[], int]

EVERY_VERDICT = """\
met: {check: counted, limit: 1}
missed: {check: counted, limit: 0, tags: [strict]}
warned: {check: counted, limit: 2, warn: 0}
waived: {check: counted, limit: 0, waive: {reason: a new head, owner: ada, until: 2999-12-31}}
unneeded: {check: counted, limit: 1, waive: {reason: a new head, owner: ada, until: 2999-12-31}}
inconclusive: {check: counted, limit: 1, with: {value: -1}}
left_out: {check: counted, limit: 1, skip: not today}
"""


def lines_of(result: pytest.RunResult) -> str:
    return "\n".join(result.outlines)


def test_every_verdict_has_its_outcome_and_its_words(
    spec: WriteSpec, session: Session, calls: Calls, pytester: pytest.Pytester
) -> None:
    spec(EVERY_VERDICT)
    result = session("-ra", "--junitxml=junit.xml")
    result.assert_outcomes(passed=3, failed=1, errors=1, xfailed=1, skipped=1, warnings=2)
    assert calls() == 6
    lines = lines_of(result)
    assert "\ncounted = 1, required at most 0 (over by 1)\nseen: 1\nAdvice: Count again.\n" in lines
    assert "FAILED gate.retspec.yaml::missed - Failed: counted = 1, required at most 0" in lines
    assert "XFAIL gate.retspec.yaml::waived - waived until 2999-12-31: a new head (ada)" in lines
    assert "ERROR gate.retspec.yaml::inconclusive - Failed: there is nothing to count" in lines
    assert "not today" in lines
    assert "gate.retspec.yaml:6: CriterionWarning: counted = 1, required at most 2" in lines
    assert "gate.retspec.yaml:8: CriterionWarning: counted = 1, required at most 1 (margin 0); its waiver" in lines
    assert "Traceback" not in lines
    assert ".py" not in lines.partition("test session starts")[2].partition("plugins")[2]
    _is_told_to_ci(ET.parse(pytester.path / "junit.xml"))  # noqa: S314 - pytest wrote it


def _is_told_to_ci(document: ET.ElementTree[Any]) -> None:
    written = list(document.iter("testcase"))
    cases = {case.get("name"): [(child.tag, child.get("message", "")) for child in case] for case in written}
    assert {case.get("classname") for case in written} == {"gate.retspec.yaml"}
    assert list(cases) == ["met", "missed", "warned", "waived", "unneeded", "inconclusive", "left_out"]
    assert cases["met"] == cases["warned"] == cases["unneeded"] == []
    assert cases["waived"] == [("skipped", "waived until 2999-12-31: a new head (ada)")]
    assert cases["left_out"] == [("skipped", "not today")]
    missed = "Failed: counted = 1, required at most 0 (over by 1)\nseen: 1\nAdvice: Count again."
    assert cases["missed"] == [("failure", missed)]
    ((tag, message),) = cases["inconclusive"]
    assert tag == "error"
    assert "there is nothing to count" in message


def test_only_what_is_selected_is_measured(spec: WriteSpec, session: Session, calls: Calls) -> None:
    path = spec("\n".join(f"{name}: {{check: counted, limit: 1}}" for name in ("one", "one_more", "three-1.x")))
    session(f"{path}::one").assert_outcomes(passed=1)
    assert calls() == 1
    session(f"{path}::one", f"{path}::three-1.x").assert_outcomes(passed=2)
    assert calls() == 3
    session("-k", "three").assert_outcomes(passed=1, deselected=2)
    assert calls() == 4


def test_the_mark_and_tags_select(spec: WriteSpec, session: Session, calls: Calls, pytester: pytest.Pytester) -> None:
    spec("one: {check: counted, limit: 1, tags: [quick]}\ntwo: {check: counted, limit: 1}")
    pytester.makepyfile("def test_other(): pass")
    session("-k", "quick").assert_outcomes(passed=1, deselected=2)
    assert calls() == 1
    session("--strict-markers", "-m", "not retspec").assert_outcomes(passed=1, deselected=2)
    session("--collect-only").stdout.fnmatch_lines(["*<SpecFile gate.retspec.yaml>", "*<CriterionItem one>"])
    assert calls() == 1


def test_x_ends_the_run_at_the_first_that_is_not_met(spec: WriteSpec, session: Session, calls: Calls) -> None:
    later = "late: {check: counted_late, limit: 1}\nlater: {check: counted, limit: 1}"
    spec(f"one: {{check: counted, limit: 1}}\ntwo: {{check: counted, limit: 0}}\n{later}")
    session("-x").assert_outcomes(passed=1, failed=1)
    assert calls() == 2


def test_a_matrix_is_an_item_for_every_criterion_of_every_cell(spec: WriteSpec, session: Session, calls: Calls) -> None:
    path = spec('counted: "${matrix.most}"')
    path.write_text(f"{path.read_text()}matrix: {{most: [0, 1]}}\n")
    result = session()
    result.assert_outcomes(passed=1, failed=1)
    assert "counted[most=0]" in lines_of(result)
    assert calls() == 2
    session(f"{path.name}::counted[most=1]").assert_outcomes(passed=1)
    assert calls() == 3


def test_filters_and_runxfail_are_obeyed(spec: WriteSpec, session: Session) -> None:
    spec(EVERY_VERDICT)
    result = session("-k", "warned or waived", "--runxfail", "-W", "error::retspec.testing.CriterionWarning")
    result.assert_outcomes(failed=2, deselected=5)
    assert "wanted at most 0 (over by 1)\nseen: 1\nAdvice: Count again." in lines_of(result)
    assert "waived until 2999-12-31: a new head (ada)\ncounted = 1, required at most 0" in lines_of(result)


def test_an_invalid_spec_is_one_error_in_its_own_lines(spec: WriteSpec, session: Session) -> None:
    spec("counted: {limt: 1}\nmore: {check: countd, limit: 1}")
    result = session()
    result.assert_outcomes(errors=1)
    lines = lines_of(result)
    assert "\ngate.retspec.yaml:4:13: unknown key 'limt'" in lines
    assert "did you mean 'counted'?" in lines
    assert "Traceback" not in lines
    assert "retspec/" not in lines


def test_a_fault_of_the_run_leaves_nothing_green(spec: WriteSpec, session: Session, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        faulty="""
        from retspec.plugin import hookimpl

        @hookimpl
        def retspec_criterion_finished(result):
            raise RuntimeError("no disk")
        """
    )
    path = spec("one: {check: counted, limit: 1}\ntwo: {check: counted, limit: 0}")
    path.write_text(path.read_text().replace("plugins: [", "plugins: [faulty.py, "))
    result = session()
    result.assert_outcomes(errors=1, failed=1)
    assert "its hook retspec_criterion_finished raised RuntimeError: no disk" in lines_of(result)


def test_a_worker_that_cannot_start_is_an_error_of_each(
    spec: WriteSpec, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec("one: {check: counted, limit: 1}\ntwo: {check: counted, limit: 1}")
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    result = session()
    result.assert_outcomes(errors=2)
    assert "cannot start a worker" in lines_of(result)


def test_the_ini_option_names_the_specs(spec: WriteSpec, session: Session, pytester: pytest.Pytester) -> None:
    spec("one: {check: counted, limit: 1}", "not_named.retspec.yaml")
    spec("two: {check: counted, limit: 1}", "specs/named.yaml")
    spec("three: {check: counted, limit: 1}", "specs/other.yml")
    pytester.makeini("[pytest]\nretspec_specs = specs/*.yaml")
    result = session("--collect-only", "-q")
    assert [line for line in result.outlines if "::" in line] == ["specs/named.yaml::two"]


def test_the_sentence_of_what_is_met_can_be_shown(spec: WriteSpec, session: Session) -> None:
    spec("one: {check: counted, limit: 1}")
    assert "counted = 1, required at most 1 (margin 0)" in lines_of(session("-rP"))
