"""Check that a worker's records follow from its job: a record that was not requested, or comes twice, is refused.

The code under test shares the worker's process, so it can write to the worker's pipe. A record out of turn reveals such
a forgery; a complete and correct sequence of forged records does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.engine.protocol import (
    Done,
    Environment,
    Finished,
    Importing,
    Made,
    Noted,
    Pictured,
    Printed,
    Progress,
    Renew,
    Started,
)
from retspec.plugins.kinds import PARTS

if TYPE_CHECKING:
    from retspec.engine.protocol import Message
    from retspec.records import Measured, Outcome, Plan


class ProtocolCheck:
    """Follows a worker through its plan, criterion by criterion."""

    def __init__(self, plan: Plan) -> None:
        self._waiting = [step.criterion.id for step in reversed(plan.checks)]
        self._readers = {step.key: step.criteria for step in plan.measurements}
        self._made: set[str] = set()
        self._at_work: str | None = None
        self._has_environment = False

    def objection(self, message: Message) -> str:
        """Return why the next record cannot be true, or accept it and return an empty string."""
        match message:
            case Environment(facts):
                return self._environment(facts)
            case Started(name):
                return self._start(name)
            case Importing() | Progress() | Printed() | Noted() | Pictured():
                return self._source(message)
            case Made(measured):
                return self._make(measured)
            case Finished(outcome):
                return self._finish(outcome)
            case Renew() | Done():
                return self._end(message)

    def _environment(self, facts: dict[str, str]) -> str:
        if self._has_environment:
            return "a second environment"
        self._has_environment = True
        return "" if "device" in facts and facts.get("threads", "").isdecimal() else "an environment without its facts"

    def _end(self, message: Renew | Done) -> str:
        left = [*self._waiting, *filter(None, [self._at_work])]
        if isinstance(message, Renew):
            return "" if self._at_work is not None else "that it cannot go on, between two criteria"
        return f"the end, but {left[-1]!r} has no outcome" if left else ""

    def _start(self, name: str) -> str:
        if self._at_work is not None or not self._waiting or name != self._waiting[-1]:
            return f"the start of {name!r} out of turn"
        self._at_work = self._waiting.pop()
        return ""

    def _source(self, message: Importing | Progress | Printed | Noted | Pictured) -> str:
        if isinstance(message, (Importing, Noted, Pictured)):  # no verdict depends on it
            return ""
        key = message.source if isinstance(message, Printed) else message.key
        if key in self._readers or key in PARTS or (isinstance(message, Printed) and not key):
            return ""
        what = "output" if isinstance(message, Printed) else "progress"
        return f"{what} of {key!r}, which is not in the plan"

    def _make(self, measured: Measured) -> str:
        key = measured.key
        if key not in self._readers or key in self._made or self._at_work is None:
            return f"facts of {key!r} out of turn"
        if measured.criteria != self._readers[key]:
            return f"facts of {key!r} for other criteria than planned"
        self._made.add(key)
        return ""

    def _finish(self, outcome: Outcome) -> str:
        if outcome.id != self._at_work:
            return f"an outcome of {outcome.id!r} out of turn"
        unmade = [key for key, readers in self._readers.items() if outcome.id in readers and key not in self._made]
        if outcome.observed is not None and unmade:
            return f"an observation of {outcome.id!r} before {unmade[0]!r} was measured"
        self._at_work = None
        return ""
