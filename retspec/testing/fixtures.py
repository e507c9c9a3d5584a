"""The fixture `retspec_run`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import pytest

from retspec.errors import RetspecError
from retspec.records import EXIT_MET
from retspec.report.formats.table import table
from retspec.testing.running import run_under_pytest

if TYPE_CHECKING:
    from pathlib import Path

    from retspec.records import Report


class RetspecRun(Protocol):
    """`retspec.run` for tests: the type of the fixture `retspec_run`."""

    def __call__(self, spec: str | Path, *, check: bool = False, **options: Any) -> Report:
        """Run a spec and return its report.

        spec: its path; a relative one starts from the folder of the test.
        check: fail the test, with the table, unless the exit code is 0.
        options: those of `retspec.run`. `reports` starts from `tmp_path`, and is junit.xml and results.json there by
            default.

        Raises what `retspec.run` raises.
        """


@pytest.fixture
def retspec_run(request: pytest.FixtureRequest, tmp_path: Path) -> RetspecRun:
    """Return what runs a spec (`RetspecRun`); the output of a test that fails has the table of each run."""
    usual = {"junit": "junit.xml", "json": "results.json"}

    def call(spec: str | Path, *, check: bool = False, **options: Any) -> Report:
        __tracebackhide__ = True
        reports = {name: tmp_path / file for name, file in options.pop("reports", usual).items()}
        try:
            report = run_under_pytest(request, request.path.parent / spec, reports=reports, **options)
        except RetspecError as error:
            raise error.with_traceback(None) from None  # retspec's own frames do not help the user
        shown = table(report)
        if check and report.exit_code != EXIT_MET:
            pytest.fail(f"{report.file}\n\n{shown}")
        request.node.add_report_section("call", "retspec", f"{report.file}\n\n{shown}")
        return report

    return call
