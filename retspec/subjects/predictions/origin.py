"""The origin of predictions that retspec made: a JSON file beside them says which weights and data they are from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from retspec.errors import SubjectError
from retspec.records import ORIGIN_SUFFIX
from retspec.regular_files import read_regular
from retspec.whole_files import replace_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_LARGEST = 1_000_000
"""Bytes."""
_SHOWN = 12
"""Characters of a hash in a message."""


class Origin(Struct, frozen=True, kw_only=True, forbid_unknown_fields=False):
    """What predictions were made from; the same inputs give the same origin, so that there is no date in it."""

    retspec: str
    """Version of retspec."""
    sha256: str
    """Hash of the file of predictions."""
    images: int
    split: str
    spec: str
    """Name of the spec."""
    spec_sha256: str
    model: str
    """The source of the model, such as `timm`."""
    weights: Mapping[str, str]
    """`checkpoint` and `adapter`: the files; `checkpoint_sha256` and `adapter_sha256`: their hashes."""
    data: str
    """The source of the data, such as `csv`."""
    data_sha256: str
    """Hash of the list of the split: image, class and group of each example."""
    seed: int
    device: str
    dtype: str
    versions: Mapping[str, str] = {}

    def notes(self, file: str) -> Iterator[str]:
        """Yield what a reader should know of predictions from here, in whole sentences."""
        named = [
            f"{key} {self.weights[key]} ({self.weights[f'{key}_sha256'][:_SHOWN]})"
            for key in ("checkpoint", "adapter")
            if key in self.weights
        ]
        made_from = " and ".join(named) or f"`{self.model}` without a checkpoint"
        yield (
            f"{file}: {self.images:,} images of the split {self.split}, predicted by retspec {self.retspec} from "
            f"{made_from}, in {self.dtype} on {self.device}, with seed {self.seed}."
        )


def origin_file(path: Path) -> Path:
    """Return the file beside predictions that says where they are from."""
    return path.with_name(path.name + ORIGIN_SUFFIX)


def write_with_origin(path: Path, content: bytes, origin: Callable[[str], Origin]) -> None:
    """Write a file of predictions and its origin; if only the first is written, reading them notices it by the hash.

    origin: from the hash of the file. Raises OSError when one of them cannot be written.
    """
    found = origin(hashlib.sha256(content).hexdigest())
    replace_whole(origin_file(path), json.dumps(msgspec.to_builtins(found), indent=2, ensure_ascii=False) + "\n")
    replace_whole(path, content)


def origin_of(path: Path, file: str, place: str) -> Origin | None:
    """Return the origin of predictions; None for those that retspec did not make.

    file: as the spec names it; place: the dotted path of the key that names it.

    Raises SubjectError for an origin that cannot be read.
    """
    beside = origin_file(path)
    if not beside.exists():
        return None
    try:
        return msgspec.json.decode(read_regular(beside, _LARGEST) or b"", type=Origin)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SubjectError(
            f"{file}{ORIGIN_SUFFIX} is not as retspec wrote it: {error}; make it again", path=place
        ) from error


def require_same(origin: Origin, sha256: str, weights: Mapping[str, str] | None, file: str, place: str) -> None:
    """Raise SubjectError where predictions are no longer as retspec made them, or are those of other weights.

    weights: of the model of the spec, as in `Origin.weights`; None for a spec without a model.
    """
    if origin.sha256 != sha256:
        raise SubjectError(
            f"{file} was changed after retspec made it: its SHA-256 is {sha256[:_SHOWN]}, and {file}{ORIGIN_SUFFIX} "
            f"has {origin.sha256[:_SHOWN]}; make it again, or remove that file if the change is yours",
            path=place,
        )
    for key in ("checkpoint", "adapter") if weights is not None else ():
        made, named = origin.weights.get(f"{key}_sha256"), (weights or {}).get(f"{key}_sha256")
        if made != named:
            raise SubjectError(
                f"{file} was predicted {_by(key, origin.weights)}, and the model of this spec has "
                f"{_by(key, weights or {}).removeprefix('with ')}; make the predictions again, or name the model that "
                "they are from",
                path=place,
            )


def _by(key: str, weights: Mapping[str, str]) -> str:
    if key not in weights:
        return f"with no {key}"
    return f"with the {key} {weights[key]} ({weights[f'{key}_sha256'][:_SHOWN]})"
