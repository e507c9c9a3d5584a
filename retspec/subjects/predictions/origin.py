"""The origin of predictions that retspec made: a JSON file beside them says which weights and data they are from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from msgspec import Struct

from retspec.errors import SubjectError
from retspec.records import ORIGIN_SUFFIX
from retspec.regular_files import read_regular, sha256_of
from retspec.subjects.predictions.made_from import difference
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
    """Hash of the list of the split: image, class, group and subgroups of each example."""
    inputs_sha256: str = ""
    """Hash of what the model got, image after image: of their content and of the transform."""
    made_from: Mapping[str, Any] = {}
    """The parts of the spec that the numbers depend on beside weights and images; see `made_from`."""
    seed: int
    device: str
    dtype: str
    versions: Mapping[str, str] = {}
    replaces: str = ""
    """Hash of the older file that is being replaced; empty, and not written, once it is."""

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
    """Write a file of predictions and its origin.

    Until an older file is replaced, the origin has the hash of both: if the process ends in between, the older one does
    not look as if somebody had changed it.

    origin: from the hash of the file. Raises OSError when one of them cannot be written.
    """
    found = origin(hashlib.sha256(content).hexdigest())
    older = sha256_of(path) if path.exists() else found.sha256
    _write_origin(path, found, replaces=older)
    replace_whole(path, content)
    if older != found.sha256:
        _write_origin(path, found)


def _write_origin(path: Path, origin: Origin, *, replaces: str = "") -> None:
    fields = msgspec.to_builtins(origin)
    del fields["replaces"]
    if replaces not in {"", origin.sha256}:
        fields["replaces"] = replaces
    replace_whole(origin_file(path), json.dumps(fields, indent=2, ensure_ascii=False) + "\n")


def require_unchanged(path: Path, file: str, place: str) -> None:
    """Raise SubjectError for a file that is there and that is not as retspec made it: it may be a year of work."""
    if not path.exists():
        return
    origin = origin_of(path, file, place)
    if origin is None:
        raise SubjectError(f"{file} is there, and retspec did not make it; name another file, or remove it", path=place)
    try:
        sha256 = sha256_of(path)
    except OSError as error:
        raise SubjectError(f"{file} cannot be read: {error.strerror or error}", path=place) from error
    if sha256 not in {origin.sha256, origin.replaces}:
        raise SubjectError(
            f"{file} was changed after retspec made it, and is kept: its SHA-256 is {sha256[:_SHOWN]}, and "
            f"{file}{ORIGIN_SUFFIX} has {origin.sha256[:_SHOWN]}; remove it to let retspec make it again, or judge it "
            "as it is under another name, with `csv:` in place of `make:`",
            path=place,
        )


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


class Asked(NamedTuple):
    """What a spec that reads predictions says that they are from."""

    weights: Mapping[str, str]
    """Of its model, as in `Origin.weights`."""
    made_from: Mapping[str, Any]
    data_sha256: str
    """As in `Origin`; empty for data that does not list the split."""


def require_same(origin: Origin, sha256: str, asked: Asked | None, file: str, place: str) -> None:
    """Raise SubjectError where predictions are no longer as retspec made them, or are those of another model or data.

    asked: None for a spec without a model.
    """
    if origin.sha256 != sha256:
        raise SubjectError(
            f"{file} was changed after retspec made it: its SHA-256 is {sha256[:_SHOWN]}, and {file}{ORIGIN_SUFFIX} "
            f"has {origin.sha256[:_SHOWN]}; make it again, or remove that file if the change is yours",
            path=place,
        )
    if asked is None:
        return
    for key in ("checkpoint", "adapter"):
        if origin.weights.get(f"{key}_sha256") != asked.weights.get(f"{key}_sha256"):
            raise SubjectError(
                f"{file} was predicted {_by(key, origin.weights)}, and the model of this spec has "
                f"{_by(key, asked.weights).removeprefix('with ')}; make the predictions again, or name the model that "
                "they are from",
                path=place,
            )

    found = difference(origin.made_from, asked.made_from, with_data=bool(asked.data_sha256))
    if not found and asked.data_sha256 not in {"", origin.data_sha256}:
        found = f"the data lists other images, labels or groups of the split {origin.split} by now"
    if found:
        raise SubjectError(
            f"{file} is of another setup: {found}; make the predictions again, or say here what they are from",
            path=place,
        )


def _by(key: str, weights: Mapping[str, str]) -> str:
    if key not in weights:
        return f"with no {key}"
    return f"with the {key} {weights[key]} ({weights[f'{key}_sha256'][:_SHOWN]})"
