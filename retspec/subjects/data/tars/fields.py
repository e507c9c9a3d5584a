"""What the files beside an image say: the label in `KEY.cls`, a field of `KEY.json`."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from retspec.errors import SubjectError
from retspec.regular_files import Part

if TYPE_CHECKING:
    from pathlib import Path

    from retspec.subjects.data.tars.shards import Sample

_IN_JSON = re.compile(r"((?:.+\.)?json)\.(.+)")
_LARGEST = 1 << 20
"""Bytes of a file that says a label."""
_CODE = frozenset({"pyd", "pickle", "pkl", "pth", "pt", "npy", "npz", "ten", "tenbin", "cbor", "mp", "msg"})
"""Extensions that are no text; pickles among them run code when they are read."""


@dataclass(frozen=True)
class Field:
    """A file of a sample, or one field of a file of JSON.

    spelt: `cls`, or `json.patient.id`. at: the place in the spec.
    """

    spelt: str
    at: str

    @property
    def extension(self) -> str:
        """That of the file, in lower case."""
        found = _IN_JSON.fullmatch(self.spelt)
        return (found[1] if found else self.spelt).lower().removeprefix(".")

    def require_text(self) -> None:
        """Raise SubjectError for an extension of files that are no text."""
        if self.extension.rpartition(".")[2] in _CODE:
            raise SubjectError(
                f"{self.spelt!r} is binary, or a pickle, which runs code when it is read; write labels as `cls`, `txt` "
                "or `json`",
                path=self.at,
            )

    def text(self, sample: Sample, shard: Path) -> str:
        """Return its value as a table would write it; empty where the sample does not have it.

        Raises SubjectError for what is no JSON, is not text, or is no single value.
        """
        place = sample.members.get(self.extension)
        if place is None:
            return ""
        name = f"{shard.name}/{sample.names[self.extension]}"
        if place[1] > _LARGEST:
            raise SubjectError(f"{name} is no label: it has {place[1]:,} bytes", path=self.at)
        content = Part(shard, *place, name).read()
        found = _IN_JSON.fullmatch(self.spelt)
        if found is None:
            return content.decode(errors="replace").strip()
        value = self._looked_up(content, found[2], name)
        return "" if value is None else value.strip() if isinstance(value, str) else json.dumps(value)

    def _looked_up(self, content: bytes, steps: str, name: str) -> Any:
        try:
            value = json.loads(content)
        except (ValueError, RecursionError) as error:
            raise SubjectError(f"{name} is no JSON: {error}", path=self.at) from error
        for step in steps.split("."):
            if not isinstance(value, dict):
                return None
            value = value.get(step)
        if isinstance(value, (dict, list)):
            raise SubjectError(f"{name}: {steps!r} is a {type(value).__name__}, not one value", path=self.at)
        return value
