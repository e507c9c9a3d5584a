"""The built-in reporters enter by the hook that a plugin uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from retspec.report.formats import retspec_reporters
from tests.report.formats.sample import report, sample

if TYPE_CHECKING:
    from retspec.plugin import Reporter

REPORTERS = {reporter.name: reporter for reporter in retspec_reporters()}


def test_the_formats_are_discovered() -> None:
    assert {"table", "json", "junit", "junit-strict", "markdown", "github"} <= {*REPORTERS}


@pytest.mark.parametrize("reporter", REPORTERS.values(), ids=REPORTERS)
def test_a_reporter_renders_any_report_the_same_way_each_time(reporter: Reporter) -> None:
    assert reporter.doc
    assert "loss_drop" in reporter.render(sample())
    assert reporter.render(sample()) == reporter.render(sample())
    assert reporter.render(report()).endswith("\n")
