"""What `load` hands to `validate`: the plain data of a spec, and where each piece of it was written."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from retspec.errors import Mark, Problem
from retspec.records import LOCAL, Config

CHECKS = "checks"
"""The section of the criteria."""
RUNNER_KEYS = (
    *("check", "limit", "judge", "aggregate", "warn", "vs", "max_regression", "severity"),
    *("with", "tags", "timeout", "skip", "waive", "description"),
)
"""The keys of a criterion's long form; the arguments of the check are under `with`."""
LAYERS = "\0layers"
"""The one key of a criterion that is written in both forms: a list, the lowest first. No file can spell it."""
Place = tuple[str | int, ...]
"""The keys and indices that lead from the top of a spec to a value: `("model", "lora", "r")`."""


@dataclass(frozen=True, kw_only=True)
class Document:
    """A spec that was read: overridden, its references resolved, not yet checked against the catalog."""

    file: str
    """The path as the user wrote it, for messages."""
    path: Path
    """The same, absolute."""
    cell: str = ""
    """What distinguishes it from the other cells of the matrix, such as `r=8`; empty without a matrix."""
    unselected_cells: int = 0
    """How many other cells of the matrix the options of the run left out."""
    extended: tuple[str, ...] = ()
    """The files that it extends, absolute."""
    data: dict[str, Any]
    """Everything but `vars`. A value that could not be read is None here, or its unresolved text."""
    marks: Mapping[Place, Mark]
    key_marks: Mapping[Place, Mark]
    problems: tuple[Problem, ...] = ()
    faulty: frozenset[Place] = frozenset()
    """Places that `problems` already speak about: further checks add nothing there."""
    secrets: frozenset[str] = frozenset()
    """Texts that must not appear in a report or a message."""
    config: Config | None = None
    """The training config that the spec names."""
    sha256: str
    """Of the resolved data as canonical JSON, secrets masked: it neither gives them away nor changes with them."""

    def mark(self, place: Place) -> Mark:
        """Return where the value at a place is written; for a value that is not there, what would hold it."""
        return self.marks.get(place) or (self.mark(place[:-1]) if place else Mark(self.file, 1, 1))

    def key_mark(self, place: Place) -> Mark:
        """Return where the key of a place is written, or its value where it has no key."""
        return self.key_marks.get(place) or self.mark(place)

    def is_faulty(self, place: Place) -> bool:
        """Whether the place, or something that holds it, was already reported."""
        return any(place[:length] in self.faulty for length in range(len(place) + 1))

    @property
    def layers(self) -> dict[str, list[Any]]:
        """The forms of each criterion that is written in both, one laid over the other, the lowest first."""
        checks = self.data.get(CHECKS)
        entries = checks.items() if isinstance(checks, dict) else ()
        return {name: entry[LAYERS] for name, entry in entries if isinstance(entry, dict) and LAYERS in entry}

    @property
    def executor(self) -> str:
        """The executor that the section `run` names, as far as it is text."""
        section = self.data.get("run")
        named = section.get("executor", LOCAL) if isinstance(section, dict) else LOCAL
        return named if isinstance(named, str) else LOCAL

    @property
    def model_keys(self) -> frozenset[str]:
        """The keys of the section `model`, as far as they are texts; none without that section."""
        section = self.data.get("model")
        return frozenset(filter(lambda key: isinstance(key, str), section if isinstance(section, dict) else ()))

    @property
    def plugins(self) -> tuple[str, ...]:
        """The entries of `plugins:`, files as absolute paths; anything that is not text is left to `validate`."""
        return tuple(self.plugin_names.values())

    @property
    def plugin_names(self) -> dict[int, str]:
        """The same by their index in the section."""
        named = self.data.get("plugins")
        entries = enumerate(named if isinstance(named, list) else [])
        return {index: self._plugin(entry) for index, entry in entries if self._is_plugin(index, entry)}

    def _is_plugin(self, index: int, entry: object) -> bool:
        return isinstance(entry, str) and bool(entry) and not self.is_faulty(("plugins", index))

    def _plugin(self, entry: str) -> str:
        return os.path.normpath(self.path.resolve().parent / entry) if entry.endswith(".py") else entry
