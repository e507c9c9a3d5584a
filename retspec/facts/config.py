"""Facts about the project's own training config. A place is dotted and begins with `config.`"""

from __future__ import annotations

from msgspec import Struct


class NamedPath(Struct, frozen=True):
    """A path that the config names."""

    place: str
    value: str
    """As written in the config."""
    found: str
    """The absolute path of what exists there; empty when nothing does."""
    obstacle: str = ""
    """Why the value itself is not known."""


class NamedPaths(Struct, frozen=True):
    """The paths that the config names, and the folders in which the relative ones were looked for."""

    paths: tuple[NamedPath, ...]
    folders: tuple[str, ...]
    unmatched: tuple[str, ...]
    """Patterns of the spec that no key of the config matches."""


class ConfigReadings(Struct, frozen=True):
    """How the file of a config is read by YAML 1.1, which PyYAML follows, and by YAML 1.2."""

    file: str
    is_yaml: bool
    otherwise: tuple[str, ...]
    """Scalars that the two read otherwise, in words."""


class Violation(Struct, frozen=True):
    """A value of the config that breaks a rule of the schema."""

    place: str
    message: str


class Violations(Struct, frozen=True):
    """The config checked against a schema."""

    rules: int
    """How often a rule of the schema was applied to a value; 0 means that nothing was checked."""
    violations: tuple[Violation, ...]
    unresolved: tuple[str, ...] = ()
    """Values that rules apply to and that are not known without running something, each with the reason."""


class OutputFolder(Struct, frozen=True):
    """A folder that the training will write to."""

    place: str
    path: str
    """Absolute."""
    obstacle: str
    """Why it cannot be written to; empty when it can."""


class OutputFolders(Struct, frozen=True):
    """The output folders of a config."""

    folders: tuple[OutputFolder, ...]
    unresolved: tuple[str, ...]
    """Places whose value is not known, each with the reason."""


class ConfigReads(Struct, frozen=True):
    """What a training read of its config. Places are dotted, those of values that are no mappings."""

    file: str
    opened: bool
    """Whether the file was opened at all."""
    followed: bool
    """Whether it was read by a reader whose result is followed."""
    read: tuple[str, ...]
    """Asked for by name."""
    unknown: tuple[str, ...]
    """Taken with all keys around them: what became of them is not known."""
    later: tuple[str, ...]
    """Not read until the training was ended, and named in code that it may come to."""
    unread: tuple[str, ...]


class FollowedConfig(Struct, frozen=True):
    """A training whose config was followed."""

    command: str
    steps: int
    """Optimizer steps that it took."""
    ending: str
    """How it ended; empty when it was ended after its steps."""
    reads: ConfigReads
