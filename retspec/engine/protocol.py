"""The protocol between the supervisor and a worker: instructions in, messages out, as JSON records, one per line."""

from __future__ import annotations

from typing import Any

import msgspec

from retspec.records import Measured, Outcome, Picture, Plan


class Libraries(msgspec.Struct, frozen=True, tag=True):
    """The libraries that a worker imports while its first job is still being planned."""

    names: tuple[str, ...]


class Job(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A plan for a worker to measure, and the plugins that it needs."""

    plan: Plan
    plugins: tuple[str, ...] = ()
    entry_points: bool = True
    more: bool = False
    """Whether another job may follow; if so, the worker keeps what that job could share."""
    resumed: bool = False
    """Whether a worker died during it: what that one has seen is not known."""


class Environment(msgspec.Struct, frozen=True, tag=True):
    """The device, threads and file hashes that the worker measures with."""

    facts: dict[str, str]


class Importing(msgspec.Struct, frozen=True, tag=True):
    """The worker imports a library, which may take seconds: no verdict depends on it."""

    library: str


class Started(msgspec.Struct, frozen=True, tag=True):
    """The worker begins a criterion."""

    id: str


class Progress(msgspec.Struct, frozen=True, tag=True):
    """A measurement begins (0 of 0), or takes a step."""

    key: str
    step: int = 0
    total: int = 0


class Printed(msgspec.Struct, frozen=True, tag=True):
    """Since the last such record, what is in the standard streams was printed by one thing.

    The text itself stays in the files that the streams lead to, which belong to the supervisor: a flood costs the
    channel nothing, and what a worker printed outlives it.
    """

    source: str
    """The measurement or the part of the subject that was being made; empty for everything else."""
    stdout: int
    """Bytes in the file of the standard output by now."""
    stderr: int
    """Bytes in the file of the standard error by now."""


class Made(msgspec.Struct, frozen=True, tag=True):
    """A measurement was made."""

    measured: Measured


class Noted(msgspec.Struct, frozen=True, tag=True):
    """What a reader should know whatever was asked, in whole sentences: no verdict depends on it."""

    notes: tuple[str, ...]


class Pictured(msgspec.Struct, frozen=True, tag=True):
    """Pictures of the data, for the reports: no verdict depends on them."""

    pictures: tuple[Picture, ...]


class Finished(msgspec.Struct, frozen=True, tag=True):
    """A criterion is finished."""

    outcome: Outcome


class Renew(msgspec.Struct, frozen=True, tag=True):
    """The worker cannot give back the model as it was: a fresh one has to go on, from the criterion at work."""


class Done(msgspec.Struct, frozen=True, tag=True):
    """The worker finished its job and cleaned up; `faults` lists what went wrong while cleaning up."""

    faults: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    """The files of the user's modules that it imported."""
    unplanted: bool = False
    """Whether the fault of the spec was planted nowhere: nothing that was measured reads what it changes."""


Instruction = Libraries | Job
Message = Environment | Importing | Started | Progress | Printed | Made | Noted | Pictured | Finished | Renew | Done

LARGEST = 64 * 1024 * 1024
"""Bytes of the largest record."""

_decoder: msgspec.json.Decoder[Message] = msgspec.json.Decoder(Message)
_instruction_decoder: msgspec.json.Decoder[Instruction] = msgspec.json.Decoder(Instruction)


def encode(message: Message | Instruction) -> bytes:
    """Return a message, or an instruction, as one line; what UTF-8 cannot carry, as a Latin-1 name, is spelled out."""
    try:
        return msgspec.json.encode(message) + b"\n"
    except UnicodeEncodeError:
        return msgspec.json.encode(_encodable(msgspec.to_builtins(message, str_keys=True))) + b"\n"


def _encodable(value: Any) -> Any:
    """Return plain data with texts that UTF-8 can carry."""
    match value:
        case str():
            return value.encode("utf-8", "backslashreplace").decode()
        case dict():
            return {_encodable(key): _encodable(entry) for key, entry in value.items()}
        case list() | tuple():
            return [_encodable(entry) for entry in value]
    return value


def decode(line: bytes) -> Message:
    """Return the message of one line.

    Raises msgspec.DecodeError if the line is not a message.
    """
    return _decoder.decode(line)


def decode_instruction(line: bytes) -> Instruction:
    """Return the instruction that a supervisor wrote as one line."""
    return _instruction_decoder.decode(line)
