"""Find images that a dataset has twice: the same bytes, the same pixels, or nearly the same picture."""

from __future__ import annotations

from collections import defaultdict
from itertools import combinations
from typing import TYPE_CHECKING

from retspec.facts import Copy, NearCopy
from retspec.regular_files import open_regular
from retspec.subjects.data.looking import HASHED, difference_hashes, pixels_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    import numpy as np

    from retspec.facts import Dataset
    from retspec.subjects.data.reading import Seen

BITS = HASHED**2
NEAR = 16
"""Bits of 256 in which the hashes of near copies differ at most: larger distances are never looked for."""
AT_ONCE = 2**23
"""Pairs that are compared at once: their products take 32 MiB."""


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
    alike: dict[object, dict[bytes, str]] = defaultdict(dict)
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
    """Yield pairs of different splits whose hashes differ in few bits; the same images differ in none."""
    hashed = _hashed(dataset, seen)
    met: set[tuple[str, str]] = set()
    for copies in same:
        first = copies[0]
        for again in copies[1:]:
            if again.split != first.split and again.file != first.file:
                met.add((first.file, again.file))
                yield NearCopy(first, again, 0)
    for one, other in combinations(dataset.splits, 2):
        for first_file, second_file, distance in _close(hashed[one], hashed[other]):
            if not {(first_file, second_file), (second_file, first_file)} & met:
                yield NearCopy(Copy(one, first_file, ""), Copy(other, second_file, ""), distance)


def _hashed(dataset: Dataset, seen: Mapping[str, Seen]) -> dict[str, tuple[list[str], np.ndarray]]:
    """Return the files of each split that have contrast, and the bits of their hashes; a file is in its first split."""
    levels: dict[str, dict[str, bytes]] = {name: {} for name in dataset.splits}
    met: set[str] = set()
    for name, file, _ in dataset.files():
        look = seen[file].look
        if look and file not in met:
            levels[name][file] = look.levels
        met.add(file)
    hashed = {}
    for name, of_file in levels.items():
        bits = difference_hashes([*of_file.values()])
        has_contrast: np.ndarray = bits.any(axis=1)  # type: ignore[assignment]
        hashed[name] = [file for file, has in zip(of_file, has_contrast, strict=True) if has], bits[has_contrast]
    return hashed


def _close(ones: tuple[list[str], np.ndarray], others: tuple[list[str], np.ndarray]) -> Iterator[tuple[str, str, int]]:
    """Yield pairs of files whose hashes differ in at most NEAR bits, with the number of those.

    All pairs are compared, as a product of matrices: with bits written as 1 and -1, the product of two hashes is BITS
    minus twice the number of bits that differ. Photographs of one kind have so many bits in common that looking for
    pairs by parts of their hashes would take longer.
    """
    import numpy as np

    files, other_files = ones[0], others[0]
    if not files or not other_files:
        return
    signs, columns = (bits.astype(np.float32) * 2 - 1 for bits in (ones[1], others[1]))
    rows = max(1, AT_ONCE // len(other_files))
    for start in range(0, len(files), rows):
        products = signs[start : start + rows] @ columns.T
        for row, column in zip(*np.nonzero(products >= BITS - 2 * NEAR), strict=True):
            yield files[start + row], other_files[column], int(BITS - products[row, column]) // 2
