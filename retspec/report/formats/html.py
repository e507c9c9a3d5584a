"""One HTML file for people: every verdict with its reasons, the plots of what was measured, the results themselves.

The page loads nothing, needs no script, and prints. `retspec.report.page` makes it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.plugin import reporter

if TYPE_CHECKING:
    from retspec.records import Report


@reporter
def html(report: Report) -> str:
    """One HTML file, for people: verdicts, reasons, plots; `judge`, `compare` and `report` read it back."""
    from retspec.report.page import render_page  # noqa: PLC0415 - every command lists the formats, and few write a page

    return render_page([report])
