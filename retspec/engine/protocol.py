"""What travels between the supervisor and its worker: instructions in, messages out, as JSON records, one per line."""

from __future__ import annotations

import msgspec

from retspec.records import Measured, Outcome, Plan


class Libraries(msgspec.Struct, frozen=True, tag=True):
    """What a worker imports while its first job is still being planned."""

    names: tuple[str, ...]


class Job(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """What a worker has to do."""

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
    """The worker did everything and cleaned up; `faults` says what went wrong while cleaning up."""

    faults: tuple[str, ...] = ()


Instruction = Libraries | Job
Message = Environment | Started | Progress | Made | Finished | Done

_decoder: msgspec.json.Decoder[Message] = msgspec.json.Decoder(Message)
_instruction_decoder: msgspec.json.Decoder[Instruction] = msgspec.json.Decoder(Instruction)


def encode(message: Message | Instruction) -> bytes:
    """Return a message, or an instruction, as one line."""
    return msgspec.json.encode(message) + b"\n"


def decode(line: bytes) -> Message:
    """Return the message of one line.

    Raises msgspec.DecodeError when it is none.
    """
    return _decoder.decode(line)


def decode_instruction(line: bytes) -> Instruction:
    """Return the instruction of one line, which a supervisor wrote."""
    return _instruction_decoder.decode(line)
