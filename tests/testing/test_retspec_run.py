"""The fixture `retspec_run`: a spec inside a test."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from tests.testing.conftest import WriteSpec


def test_a_test_runs_a_spec_that_lies_beside_it(
    spec: WriteSpec, session: Callable[..., pytest.RunResult], pytester: pytest.Pytester
) -> None:
    spec("counted: {limit: 1}\nmore: {check: counted, limit: 1}", "inner/gate.yaml")
    (pytester.path / "inner" / "test_inner.py").write_text("""\
import pytest
from retspec.errors import SpecError
from retspec.report.formats.junit import render_junit
from retspec.results.results_file import read_report

def test_report(retspec_run, tmp_path):
    report = retspec_run("gate.yaml", overrides=["checks.counted.with.value=0"], select=["counted"], check=True)
    assert [result.observed.value for result in report.results] == [0]
    assert read_report(tmp_path / "results.json") == report
    assert (tmp_path / "junit.xml").read_text() == render_junit(report)

def test_invalid(retspec_run):
    with pytest.raises(SpecError, match="did you mean 'limit'"):
        retspec_run("gate.yaml", overrides=["checks.more.limt=3"])
""")
    session().assert_outcomes(passed=2)


def test_a_failure_shows_the_table(
    spec: WriteSpec, session: Callable[..., pytest.RunResult], pytester: pytest.Pytester
) -> None:
    spec("counted: 0", "gate.yaml")
    pytester.makepyfile("""
        def test_checked(retspec_run):
            retspec_run("gate.yaml", check=True)

        def test_asserted(retspec_run, tmp_path):
            report = retspec_run("gate.yaml", reports={"markdown": "mine.md"})
            assert (tmp_path / "mine.md").is_file()
            assert report.exit_code == 0

        def test_invalid(retspec_run):
            retspec_run("gate.yaml", overrides=["chekcs=3"])
    """)
    result = session()
    result.assert_outcomes(failed=3)
    result.stdout.fnmatch_lines(
        [
            '>*retspec_run("gate.yaml", check=True)',
            "E *counted *1 *at most 0 *-1 *missed*",
            "E *gate.yaml:4: missed: counted = 1, required at most 0 (over by 1)",
            "E *assert 1 == 0",
            "E *where 1 = <Report 'gate': 1 missed; exit code 1>.exit_code",
            "*Captured retspec call*",
            "counted *1 *at most 0 *-1 *missed*",
            "E *SpecError: *did you mean 'checks'?",
        ]
    )
    assert "fixtures.py" not in "\n".join(result.outlines)
