"""Facts about the project's own training config. A place is dotted and begins with `config.`"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class NamedPath:
    """A path that the config names."""

    place: str
    value: str
    """As it stands in the config."""
    found: str
    """What is there, absolute; empty when nothing is."""
    obstacle: str = ""
    """Why the value itself is not known."""


@dataclass(frozen=True)
class NamedPaths:
    """The paths that the config names, and the folders in which the relative ones were looked for."""

    paths: tuple[NamedPath, ...]
    folders: tuple[str, ...]
    unmatched: tuple[str, ...]
    """The patterns that no key of the config matches, of those that the spec gives."""


@dataclass(frozen=True)
class Violation:
    """A value of the config that breaks a rule of the schema."""

    place: str
    message: str


@dataclass(frozen=True)
class Violations:
    """What a schema says of the config."""

    rules: int
    """How often a rule of the schema was held against a value: with none, nothing was asked."""
    violations: tuple[Violation, ...]


@dataclass(frozen=True)
class OutputFolder:
    """A folder that the training is going to write to."""

    place: str
    path: str
    """Absolute."""
    obstacle: str
    """Why it cannot be written to; empty when it can."""


@dataclass(frozen=True)
class OutputFolders:
    """The folders for output, and the places whose value is not known, each with the reason."""

    folders: tuple[OutputFolder, ...]
    unresolved: tuple[str, ...]
