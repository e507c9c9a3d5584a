"""Report: collect the verdicts as they arrive, and keep the files on disk complete at every moment.

Every criterion is in the report from the start as "not run", and each file is replaced in one step: a killed run leaves
complete, red reports.
"""

from retspec.report.live.cells import Elsewhere, LiveCell, Located, Waiting, live_cells, reporting
from retspec.report.live.fuller import require_no_fuller
from retspec.report.live.live_report import LiveReport
from retspec.report.live.opening import composed, in_order, opening, titled
from retspec.report.live.overwriting import (
    folders_among,
    folders_of,
    paths_among,
    read_by,
    require_apart,
    require_distinct,
    summaries,
)
from retspec.report.live.quick_page import BAR, PAGE, is_quick
from retspec.report.live.writing import destinations, write_reports, write_whole

__all__ = [
    "BAR",
    "PAGE",
    "Elsewhere",
    "LiveCell",
    "LiveReport",
    "Located",
    "Waiting",
    "composed",
    "destinations",
    "folders_among",
    "folders_of",
    "in_order",
    "is_quick",
    "live_cells",
    "opening",
    "paths_among",
    "read_by",
    "reporting",
    "require_apart",
    "require_distinct",
    "require_no_fuller",
    "summaries",
    "titled",
    "write_reports",
    "write_whole",
]
