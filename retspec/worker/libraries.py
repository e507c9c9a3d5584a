"""Making the libraries cheap to have."""

from __future__ import annotations

import gc
from contextlib import suppress
from functools import cache


@cache
def settle_libraries() -> None:
    """Import what most measurements need, and take it out of the garbage collector's sight; once per process.

    These are many objects that live as long as the process. A full collection walks them all, and so does the one at
    the end of the interpreter: together more than a second of a run that only counts parameters. A second time would
    also hide what a job has left behind.
    """
    with suppress(Exception):  # a criterion that needs it meets the error again, as its reason
        import peft  # noqa: F401 - imports torch and transformers
    gc.freeze()
