"""Find images that a dataset has twice: the same bytes, the same pixels, or nearly the same picture."""

from __future__ import annotations

from collections import defaultdict
from itertools import combinations, compress
from typing import TYPE_CHECKING

from retspec.facts import Copy, NearCopy
from retspec.regular_files import open_content
from retspec.subjects.data.looking import halves, pixels_of, waves_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import numpy as np

    from retspec.facts import Dataset
    from retspec.subjects.data.addresses import Address
    from retspec.subjects.data.reading import Seen

NEAR = 0.99
"""Similarity from which an image is a candidate for a near copy."""
DESCRIBED = 2**9
"""Images that are described at once: their blocks take 2 MiB, which stay in the cache, in half the time of 32 MiB."""
AT_ONCE = 2**22
"""Pairs that are compared at once: their products take 32 MiB."""


def identical(dataset: Dataset, seen: Mapping[str, Seen], paths: Mapping[str, Address]) -> list[tuple[Copy, ...]]:
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


def _same_pixels(seen: Mapping[str, Seen], paths: Mapping[str, Address]) -> dict[bytes, bytes]:
    """Return the digest of the bytes to that of the pixels, for files that look the same and have other bytes."""
    alike: dict[object, dict[bytes, str]] = defaultdict(dict)
    for file, each in seen.items():
        if each.look and each.digest:
            alike[each.look.key].setdefault(each.digest, file)
    several = [files for files in alike.values() if len(files) > 1]
    return {digest: _pixels(paths[file]) for files in several for digest, file in files.items()}


def _pixels(path: Address) -> bytes:
    from PIL import Image

    with open_content(path) as file, Image.open(file) as image:
        image.load()
        return pixels_of(image)


def near_copies(dataset: Dataset, seen: Mapping[str, Seen], same: Iterable[Sequence[Copy]]) -> Iterator[NearCopy]:
    """Yield pairs of different splits that look the same; those with the same pixels have the similarity 1."""
    met: set[str] = set()
    for copies in same:
        first = copies[0]
        for again in copies[1:]:
            if again.split != first.split and again.file != first.file:
                met.add(again.file)
                yield NearCopy(first, again, 1.0)
    yield from (near for near in _nearest(_described(dataset, seen)) if near.second.file not in met)


def _described(dataset: Dataset, seen: Mapping[str, Seen]) -> dict[str, tuple[list[str], np.ndarray]]:
    """Return the files of each split that have contrast, and their waves; a file belongs to its first split."""
    levels: dict[str, dict[str, bytes]] = {name: {} for name in dataset.splits}
    met: set[str] = set()
    for name, file, _ in dataset.files():
        look = seen[file].look
        if look and file not in met:
            levels[name][file] = look.levels
        met.add(file)
    described = {}
    for name, of_file in levels.items():
        described[name] = _waves(of_file)
    return described


def _waves(levels: Mapping[str, bytes]) -> tuple[list[str], np.ndarray]:
    """Return the files that have contrast, and their waves; some at a time, since blocks take more room than waves."""
    import numpy as np

    files, held = [*levels], [*levels.values()]
    parts = [waves_of(held[start : start + DESCRIBED]) for start in range(0, max(len(held), 1), DESCRIBED)]
    has_contrast = np.concatenate([has for has, _ in parts])
    return [*compress(files, has_contrast)], np.concatenate([vectors for _, vectors in parts])


def _nearest(described: Mapping[str, tuple[list[str], np.ndarray]]) -> Iterator[NearCopy]:
    """Yield, for each image that has any, the one of an earlier split that it looks most like, upright or mirrored."""
    nearest: dict[str, NearCopy] = {}
    for (one, (files, vectors)), (other, (others, theirs)) in combinations(described.items(), 2):
        for row, column, similarity, is_mirrored in _similar(vectors, theirs):
            first, second = files[row], others[column]
            if second not in nearest or nearest[second].similarity < similarity:
                nearest[second] = NearCopy(Copy(one, first, ""), Copy(other, second, ""), similarity, is_mirrored)
    yield from nearest.values()


def _similar(ones: np.ndarray, others: np.ndarray) -> Iterator[tuple[int, int, float, bool]]:
    """Yield (row, column, similarity, whether mirrored): for each of the others the nearest of some at a time.

    All pairs are compared, as products of matrices. Mirroring turns the sign of the odd waves' part of a product, so
    that the larger of both similarities takes no second product. The products are written to the same memory again and
    again: asking the system for more takes as long as the rest.
    """
    import numpy as np

    if not len(ones) or not len(others):
        return
    their_even, their_odd = halves(others)
    rows_at_once = max(1, AT_ONCE // len(others))
    upright, turning = np.empty((2, min(rows_at_once, len(ones)), len(others)), np.float32)
    for start in range(0, len(ones), rows_at_once):
        even, odd = halves(ones[start : start + rows_at_once])
        best = np.matmul(even, their_even.T, out=upright[: len(even)])
        best += np.abs(np.matmul(odd, their_odd.T, out=turning[: len(odd)]), out=turning[: len(odd)])
        columns = np.flatnonzero(best.max(axis=0) >= NEAR)
        for row, column in zip(best[:, columns].argmax(axis=0).tolist(), columns.tolist(), strict=True):
            similarity = best[row, column]
            is_mirrored = bool(similarity + 2 * (odd[row] @ their_odd[column]) < similarity)  # equal if symmetric
            yield start + row, column, min(float(similarity), 1.0), is_mirrored
