"""The measurement `images`: files that do not decode, and files with the same bytes."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

from retspec.errors import named
from retspec.facts import Copy, CorruptImage, Images
from retspec.plugin import Cost, measurement
from retspec.subjects.devices import cores

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from retspec.facts import Dataset


AT_ONCE = 16
"""Number of files that a thread reads before progress is reported."""


@dataclass(frozen=True)
class _Seen:
    """The result of reading one file: its SHA-256, or None if it cannot be read, and why it is corrupt."""

    digest: bytes | None
    reason: str = ""


@measurement(cost=Cost.FORWARD, needs_torch=False)
def images(dataset: Dataset, progress: Callable[[int, int], None]) -> Images:
    """Read every file once, on all cores: hash its bytes, and decode it to its last pixel.

    Threads suffice: Pillow's decoders and the hash release the interpreter lock.
    """
    files = {example.file: dataset.path(example) for split in dataset.splits.values() for example in split.examples}
    seen = dict(zip(files, _read_all(list(files.values()), progress), strict=True))
    return Images(
        read=sum(each.digest is not None for each in seen.values()),
        corrupt=tuple(CorruptImage(file, each.reason) for file, each in seen.items() if each.reason),
        identical=tuple(_identical(dataset, seen)),
    )


def _read_all(paths: Sequence[Path], progress: Callable[[int, int], None]) -> Iterator[_Seen]:
    from concurrent.futures import ThreadPoolExecutor

    with _whole_images_only(), ThreadPoolExecutor(cores()) as pool:
        done = 0
        for part in pool.map(_read_some, [paths[at : at + AT_ONCE] for at in range(0, len(paths), AT_ONCE)]):
            progress(done, len(paths))
            yield from part
            done += len(part)


def _read_some(paths: Sequence[Path]) -> list[_Seen]:
    return [_read(path) for path in paths]


def _read(path: Path) -> _Seen:
    from PIL import Image

    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return _Seen(None)
    except OSError as error:
        return _Seen(None, named(error))
    digest = hashlib.sha256(content).digest()
    try:
        with Image.open(BytesIO(content)) as image:
            image.load()
    except Exception as error:  # noqa: BLE001 - Pillow's decoders raise any exception on invalid bytes
        reason = "the file is empty" if not content else _without_address(named(error))
        return _Seen(digest, reason)
    return _Seen(digest)


def _without_address(reason: str) -> str:
    """Return an error of Pillow without the address of the buffer, which differs from run to run."""
    return reason.partition(" <_io.BytesIO")[0]


@contextmanager
def _whole_images_only() -> Iterator[None]:
    """Make Pillow refuse truncated images, even if a user's module has set `LOAD_TRUNCATED_IMAGES`.

    With that setting, Pillow silently fills in the missing pixels:
    https://pillow.readthedocs.io/en/stable/reference/ImageFile.html
    """
    from PIL import ImageFile

    before = ImageFile.LOAD_TRUNCATED_IMAGES
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    try:
        yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = before


def _identical(dataset: Dataset, seen: dict[str, _Seen]) -> Iterator[tuple[Copy, ...]]:
    copies: dict[bytes, list[Copy]] = defaultdict(list)
    for name, split in dataset.splits.items():
        for example in split.examples:
            digest = seen[example.file].digest
            if digest is not None:
                copies[digest].append(Copy(name, example.file, example.class_name))
    return (tuple(same) for same in copies.values() if len(same) > 1)
