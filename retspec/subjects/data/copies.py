"""Find images that a dataset has twice: the same bytes, the same pixels, or nearly the same picture."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from retspec.facts import Copy, NearCopy
from retspec.regular_files import open_regular
from retspec.subjects.data.looking import HASHED, pixels_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from retspec.facts import Dataset
    from retspec.subjects.data.reading import Seen

BITS = HASHED**2
NEAR = 16
"""Bits of 256 in which the hashes of near copies differ at most: larger distances are never looked for."""


def identical(dataset: Dataset, seen: Mapping[str, Seen], paths: Mapping[str, Path]) -> list[tuple[Copy, ...]]:
    """Return groups of examples with the same bytes or the same pixels.

    A file that cannot be read is the same as itself alone. Only files that look the same are decoded once more, to
    compare all their pixels.
    """
    pixels = _same_pixels(seen, paths)
    copies: dict[bytes | str, list[Copy]] = defaultdict(list)
    for name, file, example in dataset.files():
        digest = seen[file].digest
        same = file if digest is None else pixels.get(digest, digest)
        copies[same].append(Copy(name, file, example.class_name))
    return [tuple(same) for same in copies.values() if len(same) > 1]


def _same_pixels(seen: Mapping[str, Seen], paths: Mapping[str, Path]) -> dict[bytes, bytes]:
    """Return the digest of the bytes to that of the pixels, for files that look the same and have other bytes."""
    alike: dict[bytes, dict[bytes, str]] = defaultdict(dict)
    for file, each in seen.items():
        if each.look and each.digest:
            alike[each.look.key].setdefault(each.digest, file)
    several = [files for files in alike.values() if len(files) > 1]
    return {digest: _pixels(paths[file]) for files in several for digest, file in files.items()}


def _pixels(path: Path) -> bytes:
    from PIL import Image

    with open_regular(path) as file, Image.open(file) as image:
        image.load()
        return pixels_of(image)


def near_copies(dataset: Dataset, seen: Mapping[str, Seen], same: Iterable[Sequence[Copy]]) -> Iterator[NearCopy]:
    """Yield pairs of different splits whose hashes differ in few bits; the same images differ in none.

    Hashes that differ in at most NEAR bits have a part in common when their bits are dealt out to NEAR + 1 parts, so
    that only those are compared (https://doi.org/10.1109/TKDE.2013.166, multi-index hashing).
    """
    hashed: dict[str, tuple[str, int]] = {}
    for name, file, _ in dataset.files():
        look = seen[file].look
        if look and look.hash is not None:
            hashed.setdefault(file, (name, look.hash))
    met: set[tuple[str, str]] = set()
    for copies in same:
        first = copies[0]
        for again in copies[1:]:
            if again.split != first.split and again.file != first.file:
                met.add((first.file, again.file))
                yield NearCopy(first, again, 0)
    for one, other in _candidates({file: value for file, (_, value) in hashed.items()}):
        splits = hashed[one][0], hashed[other][0]
        distance = (hashed[one][1] ^ hashed[other][1]).bit_count()
        if splits[0] != splits[1] and distance <= NEAR and not {(one, other), (other, one)} & met:
            met.add((one, other))
            yield NearCopy(Copy(splits[0], one, ""), Copy(splits[1], other, ""), distance)


def _candidates(hashes: Mapping[str, int]) -> Iterator[tuple[str, str]]:
    """Yield pairs of files whose hashes share a part, in the order of the files."""
    masks = [sum(1 << bit for bit in range(part, BITS, NEAR + 1)) for part in range(NEAR + 1)]
    for mask in masks:
        sharing: dict[int, list[str]] = defaultdict(list)
        for file, value in hashes.items():
            part = value & mask
            yield from ((earlier, file) for earlier in sharing[part])
            sharing[part].append(file)
