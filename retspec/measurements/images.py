"""The measurement `images`: files that do not decode, images that are there twice or nearly, and unusual ones."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from retspec.facts import BlankImage, CorruptImage, Images, UnusualImage
from retspec.plugin import Cost, PositiveInt, measurement
from retspec.subjects.data.addresses import addresses, size_of
from retspec.subjects.data.copies import identical, near_copies
from retspec.subjects.data.folders import Folders
from retspec.subjects.data.readers import reading_on_all_cores
from retspec.subjects.data.reading import Reading, Seen
from retspec.subjects.devices import cores
from retspec.text.wording import listing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from retspec.facts import Dataset
    from retspec.subjects.data.addresses import Address

AT_ONCE = range(16, 65)
"""Number of files that are read at a time, before progress is reported.

Handing a part to a process takes 0.15 ms, which is 0.010 ms an image for 16, and 0.002 for 64."""
PARTS = 150
"""Parts that a dataset has at least where there are more than 16 files at a time: all cores end at about one time."""
BYTES = 2**20
"""Bytes that are read at a time where there are more than 16 files: they decode in less than a second."""
_JPEG = (".jpg", ".jpeg")
OTHER_SIZE = 8
"""How many times smaller or larger than the median an unusual image is."""


@measurement(cost=Cost.FORWARD, needs_torch=False)
def images(
    dataset: Dataset,
    progress: Callable[[int, int], None],
    *,
    max_megapixels: Annotated[
        PositiveInt, Meta(description="Larger images are not decoded; by default those that Pillow refuses.")
    ]
    | None = None,
) -> Images:
    """Read every file once, on all cores: hash its bytes, decode it to its last pixel, and look at its pixels."""
    disk = Folders(dataset.folder)
    files = dataset.distinct_files()
    with _as_it_is() as pillows_limit:
        limit = pillows_limit if max_megapixels is None else max_megapixels * 10**6
        reading = Reading(limit, takes_luma=all(file.lower().endswith(_JPEG) for file in files))
        with reading_on_all_cores(reading, len(files)) as read:  # processes start while the files are looked up
            there = addresses(
                dataset, (file for file in files if file in dataset.stored or disk.has(file) or disk.obstacle(file))
            )
            found = dict(zip(there, _read_all(list(there.values()), read, progress), strict=True))
        absent = Seen(None)
        found |= {file: Reading(limit).of(there[file]) for file in _unlike_others(found)}
        seen = {file: found.get(file, absent) for file in files}
        same = identical(dataset, seen, there)
    unusual = [*_unusual(seen)]
    return Images(
        listed=len(files),
        read=sum(each.digest is not None for each in seen.values()),
        decoded=sum(each.look is not None for each in seen.values()),
        corrupt=tuple(CorruptImage(file, each.reason) for file, each in seen.items() if each.reason),
        too_large=tuple(CorruptImage(file, each.too_large) for file, each in seen.items() if each.too_large),
        identical=tuple(same),
        near=tuple(near_copies(dataset, seen, same)),
        unusual=tuple(unusual),
        blank=tuple(BlankImage(file, each.look.share) for file, each in seen.items() if each.look and each.look.share),
        kinds=dict(Counter(each.look.mode for each in seen.values() if each.look).most_common()),
        notes=tuple(_notes(seen, unusual, pillows_limit)),
    )


def _read_all(
    paths: Sequence[Address],
    read: Callable[[Sequence[Address]], list[Seen]],
    progress: Callable[[int, int], None],
) -> Iterator[Seen]:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(cores()) as pool:
        done, at_once = 0, _at_once(paths)
        for part in pool.map(read, [paths[at : at + at_once] for at in range(0, len(paths), at_once)]):
            progress(done, len(paths))
            yield from part
            done += len(part)


def _at_once(paths: Sequence[Address]) -> int:
    """Return how many files to read at a time: more of them where they are many, and small."""
    most = min(len(paths) // PARTS, AT_ONCE[-1])
    if most <= AT_ONCE[0]:
        return AT_ONCE[0]
    sample = paths[:: len(paths) // AT_ONCE[0]]
    return max(min(most, BYTES * len(sample) // max(sum(map(size_of, sample)), 1)), AT_ONCE[0])


def _unlike_others(found: Mapping[str, Seen]) -> list[str]:
    """Return files seen by their luma that have mode and size of one that was not, such as a PNG named like a JPEG."""
    looks = {file: each.look for file, each in found.items() if each.look}
    others = {(look.mode, look.size) for look in looks.values() if not look.is_of_luma}
    return [file for file, look in looks.items() if look.is_of_luma and (look.mode, look.size) in others]


@contextmanager
def _as_it_is() -> Iterator[int]:
    """Make Pillow refuse truncated images and no large ones; yield the pixels that it opens by default.

    A user's module may have set `LOAD_TRUNCATED_IMAGES`, with which Pillow fills in the missing pixels in silence:
    https://pillow.readthedocs.io/en/stable/reference/ImageFile.html. Of `MAX_IMAGE_PIXELS` Pillow warns, and refuses
    what has twice as many: https://pillow.readthedocs.io/en/stable/reference/Image.html#PIL.Image.MAX_IMAGE_PIXELS.
    """
    from PIL import Image, ImageFile

    lenient, most = ImageFile.LOAD_TRUNCATED_IMAGES, Image.MAX_IMAGE_PIXELS
    ImageFile.LOAD_TRUNCATED_IMAGES, Image.MAX_IMAGE_PIXELS = False, None
    try:
        yield 2 * most if most else 2**62
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES, Image.MAX_IMAGE_PIXELS = lenient, most


def _unusual(seen: Mapping[str, Seen]) -> Iterator[UnusualImage]:
    """Yield images that are unusual by themselves, or unlike most others."""
    looks = {file: each.look for file, each in seen.items() if each.look}
    if not looks:
        return
    grey = sum(look.is_grey for look in looks.values())
    rare = None if grey in {0, len(looks)} else grey * 2 <= len(looks)
    sides = sorted(min(look.size) for look in looks.values())
    median = sides[len(sides) // 2]
    for file, look in looks.items():
        for reason in look.unusual:
            yield UnusualImage(file, reason)
        if look.is_grey is rare:
            yield UnusualImage(file, "grey among colour images" if rare else "in colour among grey images")
        if not median <= min(look.size) * OTHER_SIZE <= median * OTHER_SIZE**2:
            yield UnusualImage(file, f"{look.size[0]} x {look.size[1]} pixels, where the median side is {median}")


def _notes(seen: Mapping[str, Seen], unusual: Sequence[UnusualImage], limit: int) -> Iterator[str]:
    deep = [each.file for each in unusual if " bits " in each.reason]
    if deep:
        first = next(each for each in unusual if each.file == deep[0])
        yield f"{len(deep):,} of {len(seen):,} images have more than 8 bits a value, as {first.file}: {first.reason}."
    near = [f"{file} ({each.pixels / 1e6:.0f} megapixels)" for file, each in seen.items() if each.pixels * 2 > limit]
    if near:
        yield (
            f"{listing(near)}: beyond {limit / 2e6:.0f} megapixels Pillow warns, beyond {limit / 1e6:.0f} it refuses "
            "to open a file; set `PIL.Image.MAX_IMAGE_PIXELS` where the training reads its images."
        )
