"""The measurements of the training config: whether its paths exist or can be written, and how YAML 1.1 reads it."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from retspec.facts import ConfigReadings, NamedPath, NamedPaths, OutputFolder, OutputFolders
from retspec.plugin import Cost, measurement
from retspec.subjects.config_paths import INPUTS, OUTPUT_FOLDERS, find, texts

if TYPE_CHECKING:
    from retspec.records import Config


@measurement(cost=Cost.STATIC, needs_torch=False)
def named_paths(
    config: Config,
    *,
    keys: Annotated[
        list[str],
        Meta(
            description="Keys or dotted places of the config whose values are paths; * matches anything. By default "
            "those named like a path (*_path, *_dir, *_file, *_csv, *_root, checkpoint), without outputs."
        ),
    ] = [],  # noqa: B006 - read only
) -> NamedPaths:
    """Look up the paths in the config on the disk."""
    every = [*texts(config.data)]
    if keys:
        chosen = [text for text in every if text.matches(keys)]
    else:
        chosen = [text for text in every if text.matches(INPUTS) and text.is_path and not text.is_output]
    paths = (
        NamedPath(
            place=f"config.{text.place}",
            value=text.value,
            found="" if text.place in config.unresolved else find(text.value, config.folders),
            obstacle=config.unresolved.get(text.place, ""),
        )
        for text in chosen
    )
    return NamedPaths(
        paths=tuple(paths),
        folders=config.folders,
        unmatched=tuple(key for key in keys if not any(text.matches([key]) for text in every)),
    )


@measurement(cost=Cost.STATIC, needs_torch=False)
def output_folders(
    config: Config,
    *,
    path: Annotated[
        str, Meta(min_length=1, description="The folder; by default the values of the usual keys of the config.")
    ]
    | None = None,
) -> OutputFolders:
    """Try to write to the folders that the training will write to."""
    if path is not None:
        return OutputFolders(folders=(_tried("path", path, config),), unresolved=())
    named = [text for text in texts(config.data) if text.matches(OUTPUT_FOLDERS) and text.is_path]
    known = [text for text in named if text.place not in config.unresolved]
    return OutputFolders(
        folders=tuple(_tried(f"config.{text.place}", text.value, config) for text in known),
        unresolved=tuple(
            f"config.{text.place} {config.unresolved[text.place]}" for text in named if text.place in config.unresolved
        ),
    )


@measurement(cost=Cost.STATIC, needs_torch=False)
def config_readings(config: Config) -> ConfigReadings:
    """Find what YAML 1.1 reads otherwise in the file of the config, as it is written."""
    return ConfigReadings(config.file, Path(config.file).suffix.lower() in {".yaml", ".yml"}, config.otherwise)


def _tried(place: str, value: str, config: Config) -> OutputFolder:
    """Return whether a folder can be written to; one that does not exist would be created in the working directory."""
    path = find(value, (str(Path.cwd()), *config.folders)) or os.path.abspath(os.path.expanduser(value))  # noqa: PTH100, PTH111 - no error
    return OutputFolder(place=place, path=path, obstacle=_obstacle(Path(path)))


def _obstacle(folder: Path) -> str:
    """Return why a folder cannot be written to or created, or an empty string; leaves no file behind."""
    nearest = next(path for path in (folder, *folder.parents) if os.path.lexists(path))
    if not nearest.is_dir():
        return f"{nearest} is not a directory"
    try:
        with tempfile.TemporaryFile(dir=nearest) as file:
            file.write(b"\0")
    except OSError as error:
        return f"{nearest}: {error.strerror or error}"
    return ""
