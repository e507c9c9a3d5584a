"""The executor that is built in: lanes of worker processes on this machine."""

from __future__ import annotations

from retspec.plugins.kinds import Executor
from retspec.records import LOCAL


def _no_engine() -> None:
    """Worker processes on this machine."""


local = Executor(name=LOCAL, function=_no_engine, arguments={}, doc=_no_engine.__doc__ or "")
