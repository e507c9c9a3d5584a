"""Sections that fit the schema: the cells of a matrix share most of theirs, and each is validated once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from retspec.spec.validate.schema_errors import Fault, faults

if TYPE_CHECKING:
    from collections.abc import Iterator

    from retspec.spec.validate.fragments import Fragment


class Sound:
    """The sections, with their contents, in which nothing was found under one schema."""

    def __init__(self, schema: Fragment) -> None:
        self._schema = schema
        self._known: set[bytes] = set()

    def faults(self, data: dict[str, Any]) -> Iterator[Fault]:
        """Yield every fault of the data of a spec, at most once for sections that are alike and have none."""
        keys = {section: _key(section, content) for section, content in data.items()}
        known = {section for section, key in keys.items() if key in self._known}
        required = [section for section in self._schema["required"] if section not in known]
        rest = {section: content for section, content in data.items() if section not in known}
        found = list(faults({**self._schema, "required": required}, rest))
        faulty = {fault.place[0] for fault in found if fault.place}
        self._known |= {key for section, key in keys.items() if key and section not in faulty}
        yield from found


def _key(section: str, content: Any) -> bytes:
    """Return bytes that only the same content has; none for content that is no plain data."""
    try:
        return msgspec.msgpack.encode((section, content))
    except (TypeError, ValueError, RecursionError, OverflowError):
        return b""
