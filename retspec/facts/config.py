"""Facts about the project's own training config. A place is dotted and begins with `config.`"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class NamedPath:
    """A path that the config names."""

    place: str
    value: str
    """As written in the config."""
    found: str
    """The absolute path of what exists there; empty when nothing does."""
    obstacle: str = ""
    """Why the value itself is not known."""


@dataclass(frozen=True)
class NamedPaths:
    """The paths that the config names, and the folders in which the relative ones were looked for."""

    paths: tuple[NamedPath, ...]
    folders: tuple[str, ...]
    unmatched: tuple[str, ...]
    """Patterns of the spec that no key of the config matches."""


@dataclass(frozen=True)
class Violation:
    """A value of the config that breaks a rule of the schema."""

    place: str
    message: str


@dataclass(frozen=True)
class Violations:
    """The config checked against a schema."""

    rules: int
    """How often a rule of the schema was applied to a value; 0 means that nothing was checked."""
    violations: tuple[Violation, ...]


@dataclass(frozen=True)
class OutputFolder:
    """A folder that the training will write to."""

    place: str
    path: str
    """Absolute."""
    obstacle: str
    """Why it cannot be written to; empty when it can."""


@dataclass(frozen=True)
class OutputFolders:
    """The output folders of a config."""

    folders: tuple[OutputFolder, ...]
    unresolved: tuple[str, ...]
    """Places whose value is not known, each with the reason."""
