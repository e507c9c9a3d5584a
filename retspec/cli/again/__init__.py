"""`retspec run --watch`: measure again whenever something that was read has changed.

A process watches the files. For each run it keeps another one ready, which is `retspec run` with the same arguments: it
has imported what retspec needs, and its worker torch, but neither has read the spec or imported any of the user's code.
When something changes it goes on, measures and ends, and the next one is made ready. So every verdict is measured at
that moment, by processes that have seen nothing older.
"""

from retspec.cli.again.ready import ReadyRun, ready_run
from retspec.cli.again.watching import watch

__all__ = ["ReadyRun", "ready_run", "watch"]
