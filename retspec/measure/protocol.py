"""What travels between the supervisor and its worker: jobs in, JSON records out, one per line."""

from __future__ import annotations

import msgspec

from retspec.records import Measured, Outcome, Plan


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker shall do."""

    plan: Plan
    plugins: tuple[str, ...] = ()
    entry_points: bool = True
    more: bool = False
    """Whether another job may follow: then what it could share is worth keeping."""


class Environment(msgspec.Struct, frozen=True, tag=True):
    """Where the worker measures."""

    facts: dict[str, str]


class Started(msgspec.Struct, frozen=True, tag=True):
    """The worker turns to a criterion."""

    id: str


class Progress(msgspec.Struct, frozen=True, tag=True):
    """A measurement begins (0 of 0), or takes a step."""

    key: str
    step: int = 0
    total: int = 0


class Made(msgspec.Struct, frozen=True, tag=True):
    """A measurement was made."""

    measured: Measured


class Finished(msgspec.Struct, frozen=True, tag=True):
    """A criterion is through."""

    outcome: Outcome


class Done(msgspec.Struct, frozen=True, tag=True):
    """The worker did everything and cleaned up; `faults` tells what went wrong while cleaning up."""

    faults: tuple[str, ...] = ()


Message = Environment | Started | Progress | Made | Finished | Done

_decoder: msgspec.json.Decoder[Message] = msgspec.json.Decoder(Message)


def encode(message: Message | Job) -> bytes:
    """Return a message as one line."""
    return msgspec.json.encode(message) + b"\n"


def decode(line: bytes) -> Message:
    """Return the message of one line.

    Raises msgspec.DecodeError when it is none.
    """
    return _decoder.decode(line)
