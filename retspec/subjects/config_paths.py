"""Find the values of a training config that name files and folders."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

INPUTS = ("*_path", "*_dir", "*_file", "*_csv", "*_root", "path", "dir", "root", "file", "csv", "checkpoint")
"""Keys whose value is usually a path."""
OUTPUT_FOLDERS = (
    *(
        "output_dir",
        "out_dir",
        "save_dir",
        "log_dir",
        "logging_dir",
        "run_dir",
        "work_dir",
        "result_dir",
        "results_dir",
    ),
    *("exp_dir", "experiment_dir", "output.dir"),
)
"""Keys whose value is usually a folder that the training creates."""
_OUTPUTS = (
    *OUTPUT_FOLDERS,
    *("output_*", "out_*", "save_*", "log_*", "logging_*", "result_*", "results_*", "*_out", "*_output", "tmp_*"),
    *("checkpoint_dir", "checkpoints_dir", "ckpt_dir", "cache_dir", "tensorboard_dir", "wandb_dir", "temp_dir"),
)
_OUTPUT_SECTIONS = frozenset(
    {"output", "outputs", "logging", "logger", "log", "results", "hydra", "wandb", "callbacks"}
)
_SCHEME = re.compile(r"[A-Za-z][\w+.-]+:")
"""Start of a URL or of a model name on a hub; a single letter would be a drive."""
_NO_PATH = frozenset({"", "auto", "best", "last", "latest", "none", "null"})


@dataclass(frozen=True)
class Text:
    """A string in the config."""

    steps: tuple[str, ...]
    """Keys and indices that lead to it."""
    value: str

    @property
    def place(self) -> str:
        """Dotted path, without `config.`."""
        return ".".join(self.steps)

    @property
    def key(self) -> str:
        """Key in lower case; all items of a list have the key of the list."""
        return next((step.lower() for step in reversed(self.steps) if not step.isdecimal()), "")

    def matches(self, patterns: Iterable[str]) -> bool:
        """Whether its key or its place matches any pattern, in which `*` matches anything."""
        names = (self.key, self.place.lower())
        return any(fnmatchcase(name, pattern.lower()) for name in names for pattern in patterns)

    @property
    def is_output(self) -> bool:
        """Whether the training creates the file or folder."""
        return self.matches(_OUTPUTS) or not _OUTPUT_SECTIONS.isdisjoint(step.lower() for step in self.steps[:-1])

    @property
    def is_path(self) -> bool:
        """Whether it can be a path on this machine."""
        return self.value.strip().lower() not in _NO_PATH and not _SCHEME.match(self.value)


def texts(value: Any, steps: tuple[str, ...] = ()) -> Iterator[Text]:
    """Yield every string in the data of a config."""
    if isinstance(value, str):
        yield Text(steps, value)
    elif isinstance(value, dict | list):
        for key, entry in value.items() if isinstance(value, dict) else enumerate(value):
            yield from texts(entry, (*steps, str(key)))


def find(value: str, folders: Iterable[str]) -> str:
    """Return the first existing path, a relative one looked up in each folder; empty when there is none."""
    if not value.strip():
        return ""
    tried = (os.path.normpath(Path(folder, os.path.expanduser(value))) for folder in folders)  # noqa: PTH111 - no error
    return next(filter(os.path.exists, tried), "")
