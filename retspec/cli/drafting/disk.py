"""Find the files that a training config names, and the paths by which a spec elsewhere names them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from retspec.subjects.config_paths import find

if TYPE_CHECKING:
    from retspec.cli.drafting.recognition import Found


class Disk:
    """Looks where a training would: beside the spec, beside the config, in the working directory."""

    def __init__(self, spec: Path, config: Path) -> None:
        self._home = spec.absolute().parent
        self._folders = (self._home, config.absolute().parent, Path.cwd())

    def path(self, found: Found) -> Path | None:
        """Return the file or folder at a path of the config, None if there is none."""
        there = find(found.value, map(str, self._folders))
        return Path(there) if there else None

    def reference(self, found: Found) -> str:
        """Return how the spec refers to a path of the config, which for a spec is relative to its own folder."""
        holder = next((folder for folder in self._folders if find(found.value, [str(folder)])), self._home)
        if holder == self._home or Path(found.value).is_absolute():
            return found.reference
        return found.reference_below(f"{self.seen_from_spec(holder)}/")

    def seen_from_spec(self, path: Path) -> str:
        """Return a path relative to the spec's folder."""
        return os.path.relpath(path, self._home)
