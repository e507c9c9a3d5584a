"""Import libraries, and keep the garbage collector from walking their objects."""

from __future__ import annotations

import gc
import importlib
import sys
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING

from retspec.subjects.callables import installed_imports_alone
from retspec.subjects.devices import make_repeatable
from retspec.subjects.garbage import no_collection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


@installed_imports_alone()  # without the folders of the previous job
def settle(libraries: Iterable[str], announce: Callable[[str], object] = lambda _: None) -> None:
    """Import libraries without garbage collection; the objects of the first call are exempted from it (`gc.freeze`).

    These are many objects that live as long as the process. The collections during the imports find next to nothing
    and took a second, and a full one later walks them all, which took another second of a run that only counts
    parameters. A later freeze would also exempt what a job has left behind.

    announce: called with the name of each library before it is imported.
    """
    with no_collection():
        for name in libraries:
            if name not in sys.modules:
                announce(name)
            with suppress(Exception):  # a criterion that needs it raises the same error, as its reason
                importlib.import_module(name)
        if "torch" in sys.modules:
            with suppress(Exception):
                make_repeatable(None)  # which imports about a thousand more modules; each job does it again
        freeze_once()


@cache
def freeze_once() -> None:
    """Exempt what is there from garbage collection; once, since counting a million frozen objects takes 0.05 s."""
    if not gc.get_freeze_count():
        gc.freeze()
