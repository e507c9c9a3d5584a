"""Find images that a dataset has twice: the same bytes, the same pixels, or nearly the same picture."""

from __future__ import annotations

from collections import defaultdict
from itertools import combinations
from typing import TYPE_CHECKING, Any

from retspec.facts import Copy, NearCopy
from retspec.regular_files import open_regular
from retspec.subjects.data.looking import mirrored, pixels_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    import numpy as np

    from retspec.facts import Dataset
    from retspec.subjects.data.reading import Seen

NEAR = 0.99
"""Similarity from which an image is a candidate for a near copy."""
AT_ONCE = 2_048
"""Images of one split that are compared with as many of another in one product of matrices."""


def identical(dataset: Dataset, seen: Mapping[str, Seen], paths: Mapping[str, Path]) -> list[tuple[Copy, ...]]:
    """Return groups of examples with the same bytes or the same pixels.

    A file that cannot be read is the same as itself alone. Only files that look the same are decoded once more, to
    compare all their pixels.
    """
    pixels = _same_pixels(seen, paths)
    copies: dict[bytes | str, list[Copy]] = defaultdict(list)
    for name, split in dataset.splits.items():
        for example in split.examples:
            digest = seen[example.file].digest
            same = example.file if digest is None else pixels.get(digest, digest)
            copies[same].append(Copy(name, example.file, example.class_name))
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
    """Yield pairs of different splits that look the same; those with the same pixels have the similarity 1."""
    met: set[tuple[str, str]] = set()
    for copies in same:
        first = copies[0]
        for again in copies[1:]:
            if again.split != first.split and again.file != first.file:
                met.add((first.file, again.file))
                yield NearCopy(first, again, 1.0)
    known = {second for _, second in met}
    for near in _nearest(_described(dataset, seen)):
        if near.second.file not in known:
            yield near


def _described(dataset: Dataset, seen: Mapping[str, Seen]) -> dict[str, dict[str, bytes]]:
    """Return split to file to waves; a file of two splits belongs to the first."""
    described: dict[str, dict[str, bytes]] = {}
    known: set[str] = set()
    for name, split in dataset.splits.items():
        looks = {each.file: seen[each.file].look for each in split.examples if each.file not in known}
        described[name] = {file: look.waves for file, look in looks.items() if look and look.waves}
        known |= looks.keys()
    return described


def _nearest(described: Mapping[str, Mapping[str, bytes]]) -> Iterator[NearCopy]:
    """Yield, for each image that has any, the one of an earlier split that it looks most like, upright or mirrored."""
    nearest: dict[str, NearCopy] = {}
    for (one, files), (other, others) in combinations(described.items(), 2):
        for first, second, similarity, is_mirrored in _similar(files, others):
            if second not in nearest or nearest[second].similarity < similarity:
                nearest[second] = NearCopy(Copy(one, first, ""), Copy(other, second, ""), similarity, is_mirrored)
    yield from nearest.values()


def _similar(ones: Mapping[str, bytes], others: Mapping[str, bytes]) -> Iterator[tuple[str, str, float, bool]]:
    """Yield (one, other, similarity, whether mirrored): for each of the others the nearest of some at a time."""
    import numpy as np

    for some in _parts(tuple(ones)):
        vectors = _vectors([ones[file] for file in some])
        for part in _parts(tuple(others)):
            theirs = _vectors([others[file] for file in part]).T
            upright, turned = vectors @ theirs, mirrored(vectors) @ theirs
            best = np.maximum(upright, turned)
            rows = best.argmax(axis=0)
            for column in np.flatnonzero(best.max(axis=0) >= NEAR).tolist():
                row = rows[column]
                is_mirrored = bool(turned[row, column] > upright[row, column])
                yield some[row], part[column], min(float(best[row, column]), 1.0), is_mirrored


def _vectors(waves: Sequence[bytes]) -> np.ndarray[Any, Any]:
    """Return the waves of images in the shape (images, WAVES * WAVES)."""
    import numpy as np

    return np.frombuffer(b"".join(waves), dtype=np.float16).reshape(len(waves), -1).astype(np.float32)


def _parts(files: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(files), AT_ONCE):
        yield files[start : start + AT_ONCE]
