"""The folder of a spec's reports, from run to run: whose it is, what no run replaces in silence, and what was found.

`reports/NAME` belongs to one spec. A run of a part of the spec writes to `partial/` in it, the results of the last
whole run stay as `previous.json` while the next one replaces them, and `history.jsonl` has a line for each run.
"""

from retspec.report.kept.changes import since_last_time
from retspec.report.kept.folder import REPORTS, folders_for
from retspec.report.kept.history import History, Run
from retspec.report.kept.keeping import Keeps
from retspec.report.kept.kept import Kept

__all__ = ["REPORTS", "History", "Keeps", "Kept", "Run", "folders_for", "since_last_time"]
