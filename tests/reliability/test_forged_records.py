"""What a worker tells is believed as far as it follows from its job, whatever the code under test adds to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retspec.engine.protocol import Done, Environment, Finished, Made, Printed, Progress, Started
from retspec.engine.supervisor.protocol_check import ProtocolCheck
from retspec.prepare import prepare
from retspec.records import Measured, Observed, Outcome, Verdict
from tests.reliability.written import SEVERAL, written

if TYPE_CHECKING:
    from collections.abc import Sequence

    from retspec.engine.protocol import Message
    from retspec.records import Plan

FORGED: list[Message] = [
    Started("first"),
    Started("reader"),
    Started("nobody"),
    Made(Measured(key="facts", criteria=("reader",))),
    Made(Measured(key="facts", criteria=("first", "reader"))),
    Made(Measured(key="nothing")),
    Progress("facts"),
    Progress("nothing"),
    Printed("facts", 10**30, -1),
    Printed("nothing", 1, 1),
    Printed("", 1, 1),
    Environment({"device": "cpu", "threads": "1"}),
    Environment({}),
    *(Finished(Outcome(id=name, observed=Observed(0))) for name in ("first", "reader", "nobody")),
    *(Finished(Outcome(id=name, failure=Verdict.ERROR)) for name in ("first", "reader")),
    Done(),
]
GENUINE: list[Message] = [
    Environment({"device": "cpu", "threads": "2"}),
    Started("first"),
    Finished(Outcome(id="first", observed=Observed(1))),
    Started("reader"),
    Progress("facts"),
    Made(Measured(key="facts", facts=1, criteria=("reader",))),
    Finished(Outcome(id="reader", observed=Observed(1))),
    Done(),
]
Edit = tuple[str, int, int]
EDITS = st.lists(
    st.tuples(
        st.sampled_from(["drop", "insert", "swap"]), st.integers(0, len(GENUINE)), st.integers(0, len(FORGED) - 1)
    ),
    max_size=4,
)


@pytest.fixture(scope="module")
def plan() -> Plan:
    checks = {"first": {"check": "at_most", "limit": 1}, "reader": {"check": "reads", "limit": 1}}
    with written({"retspec": 1, "plugins": ["checks.py"], "checks": checks}) as spec:
        return prepare(spec, entry_points=False)[0]


def _edited(edits: Sequence[Edit]) -> list[Message]:
    stream = list(GENUINE)
    for kind, place, other in edits:
        at = min(place, len(stream))
        if kind == "insert":
            stream.insert(at, FORGED[other])
        elif kind == "drop":
            del stream[at : at + 1]
        elif max(at, other) < len(stream):
            stream[at], stream[other] = stream[other], stream[at]
    return stream


def _read(plan: Plan, stream: Sequence[Message]) -> tuple[list[Message], bool]:
    """The records that are believed, and whether the last of them ends the job."""
    order, believed = ProtocolCheck(plan), list[Any]()
    for message in stream:
        if order.objection(message):
            return believed, False
        believed.append(message)
        if isinstance(message, Done):
            return believed, True
    return believed, False


def test_a_genuine_conversation_is_believed(plan: Plan) -> None:
    assert _read(plan, GENUINE) == (GENUINE, True)


@settings(SEVERAL, max_examples=400)
@given(edits=EDITS)
def test_a_conversation_that_is_believed_answers_each_criterion_once_and_in_turn(edits: list[Edit], plan: Plan) -> None:
    believed, is_whole = _read(plan, _edited(edits))
    turns = [(type(message), _id(message)) for message in believed if isinstance(message, Started | Finished)]
    asked = [(kind, name) for name in ("first", "reader") for kind in (Started, Finished)]
    assert turns == asked[: len(turns)]
    assert not is_whole or turns == asked
    keys = [message.measured.key for message in believed if isinstance(message, Made)]
    assert keys in ([], ["facts"])
    for place, message in enumerate(believed):
        if isinstance(message, Finished) and message.outcome.id == "reader" and message.outcome.observed:
            assert any(isinstance(earlier, Made) for earlier in believed[:place])


def _id(message: Started | Finished) -> str:
    return message.id if isinstance(message, Started) else message.outcome.id
