"""Import libraries once, in a way that keeps the garbage collector fast."""

from __future__ import annotations

import gc
import importlib
from contextlib import suppress
from typing import TYPE_CHECKING

from retspec.subjects.callables import installed_imports_alone

if TYPE_CHECKING:
    from collections.abc import Iterable


@installed_imports_alone()  # of the job before
def settle(libraries: Iterable[str]) -> None:
    """Import libraries; those of the first call are taken out of the garbage collector's sight.

    These are many objects that live as long as the process. A full collection walks them all, which took more than a
    second of a run that only counts parameters. A later time would also hide what a job has left behind.
    """
    for name in libraries:
        with suppress(Exception):  # a criterion that needs it meets the error again, as its reason
            importlib.import_module(name)
    if not gc.get_freeze_count():
        gc.freeze()
