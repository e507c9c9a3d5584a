"""What one look at a decoded image shows: its kind, what is unusual about it, and how to find its copies."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    from PIL.Image import Image

BLOCKS = 32
"""Rows and columns of blocks, in which the sample's pixels are averaged, which takes out noise."""
SIDE = 4 * BLOCKS
"""Width and height of the sample that a look is taken at: so many pixels are enough to see what deserves a closer look.

Averages of all pixels would take as long as decoding some images. Where a side is a smaller multiple of BLOCKS, all its
pixels are the sample: taking some of them twice would add nothing."""
WAVES = 16
"""Rows and columns of the cosine waves that describe an image: the slowest ones, which scaling changes little."""
CONTRAST = 8
"""Grey levels of 255 that the blocks of an image must span: below, compression decides what its waves are."""
NEARLY = 0.9
"""Share of one value in the sample from which all pixels are counted."""
DARK = 24
"""A sample whose values are all below this, of 255, has the largest value of all pixels looked up."""
FEW_LEVELS = 16
"""An image of 8 bits whose values end below this is a mask, or was divided by 255 before it was saved."""
_ORIENTATION = 0x0112
"""The tag of Exif that says how a viewer turns the image; https://exiv2.org/tags.html"""
_TRANSPARENT = ("RGBA", "LA", "PA", "RGBa", "La")
_FOREIGN = ("CMYK", "YCbCr", "LAB", "HSV")


class Look(NamedTuple):
    """The result of looking at one image."""

    mode: str
    """Pillow's mode; https://pillow.readthedocs.io/en/stable/handbook/concepts.html#modes"""
    size: tuple[int, int]
    """(width, height) in pixels."""
    levels: bytes
    """The grey levels of blocks, row by row: BLOCKS in each of BLOCKS rows."""
    share: float
    """Share of the pixels that have one value, within two levels; 0 where it is below about 0.9."""
    unusual: tuple[str, ...]
    is_of_luma: bool = False
    """Whether the levels are the luma that a JPEG holds, not that of its decoded colours: they round otherwise."""

    @property
    def key(self) -> tuple[str, tuple[int, int], bytes]:
        """The same for images with the same pixels, and next to always another for others."""
        return self.mode, self.size, self.levels

    @property
    def is_grey(self) -> bool:
        """Whether it has one channel of values."""
        return self.mode in {"1", "L", "LA", "La", "F"} or self.mode.startswith("I")


def look(image: Image) -> Look:
    """Look at an image that is decoded; takes a small part of the time of decoding it."""
    mode = image.mode
    seen = image.convert("RGB") if mode in {"P", "PA"} else image.convert("L") if mode == "1" else image
    grey = _sample(seen)
    counts = grey.histogram()
    return Look(
        mode=mode,
        size=image.size,
        levels=_levels(grey),
        share=_share(seen, counts),
        unusual=(*_unusual(image, seen, is_dark=not any(counts[DARK:])), *_framing(image)),
    )


def look_at_luma(image: Image) -> tuple[Look, bool]:
    """Look at the luma of a JPEG in colour; return also whether its colours have to be seen for the rest."""
    grey = _sample(image)
    counts = grey.histogram()
    found = Look("RGB", image.size, _levels(grey), 0.0, tuple(_framing(image)), is_of_luma=True)
    return found, _commonest(counts) >= NEARLY or not any(counts[DARK:])


def pixels_of(image: Image) -> bytes:
    """Return the digest of all pixels of a decoded image, its kind and its size."""
    seen = image.convert("RGB") if image.mode in {"P", "PA"} else image
    return blake2b(f"{seen.mode} {seen.size} ".encode() + seen.tobytes(), digest_size=16).digest()


def waves_of(levels: Sequence[bytes]) -> tuple[np.ndarray, np.ndarray]:
    """Return which images have contrast, (images,), and the waves of those: one vector of length 1 for each.

    Two images look the same where the product of their vectors is close to 1. The mean is left out, and each wave
    counts by its frequency: images have less of the faster ones (https://doi.org/10.1364/JOSAA.4.002379), and else all
    photographs of an eye look the same. Perceptual hashes round these amounts to bits
    (https://www.phash.org/docs/pubs/thesis_zauner.pdf), which are noise where an image has little of a wave.
    """
    import numpy as np

    blocks = np.frombuffer(b"".join(levels), dtype=np.uint8).reshape(len(levels), BLOCKS, BLOCKS)
    has_contrast = np.ptp(blocks, axis=(1, 2)) >= CONTRAST
    grey = blocks[has_contrast].astype(np.float32)
    orders = np.arange(WAVES)
    cosines = np.cos(np.pi * np.outer(orders, np.arange(BLOCKS) + 0.5) / BLOCKS).astype(np.float32)
    amounts = cosines @ (grey - grey.mean(axis=(1, 2), keepdims=True)) @ cosines.T
    vectors = (amounts * np.hypot.outer(orders, orders).astype(np.float32)).reshape(len(grey), WAVES**2)
    return has_contrast, vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def halves(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the waves that a mirror image has too, (images, waves), and those that it has with the other sign."""
    rows = vectors.reshape(-1, WAVES)
    return rows[:, ::2].reshape(len(vectors), -1), rows[:, 1::2].reshape(len(vectors), -1)


def _sample(image: Image) -> Image:
    """Return a sample as 8 bits of grey; values of another range are stretched to it."""
    width, height = (side if side < SIDE and side % BLOCKS == 0 else SIDE for side in image.size)
    if image.mode not in {"I", "F"} and not image.mode.startswith("I;16"):
        if image.width * image.height <= width * height:  # whichever comes first, it is for fewer pixels
            return _resized(image.convert("L"), width, height)
        return _resized(image, width, height).convert("L")
    values = _resized(image, width, height).convert("F")
    low, high = values.getextrema()
    scale = 255 / (high - low) if high > low else 0  # type: ignore[operator]
    return values.point(lambda value: value * scale - low * scale).convert("L")  # type: ignore[operator]


def _resized(image: Image, width: int, height: int) -> Image:
    """Return so many of an image's pixels; the image itself where it has as many, since a copy takes time."""
    from PIL.Image import Resampling

    return image if image.size == (width, height) else image.resize((width, height), Resampling.NEAREST)


def _levels(grey: Image) -> bytes:
    return grey.reduce((grey.width // BLOCKS, grey.height // BLOCKS)).tobytes()


def _share(image: Image, counts: list[int]) -> float:
    """Return the share of pixels that have one value in every channel, as far as the sample says that it is large."""
    if _commonest(counts) < NEARLY:
        return 0.0
    if image.mode not in {"L", "RGB"}:
        return _commonest(counts)
    channels = image.histogram()
    return min(_commonest(channels[start : start + 256]) for start in range(0, len(channels), 256))


def _commonest(counts: list[int]) -> float:
    """Return the share of the most frequent level and the two on either side."""
    top = counts.index(max(counts))
    return sum(counts[max(top - 2, 0) : top + 3]) / sum(counts)


def _unusual(image: Image, seen: Image, *, is_dark: bool) -> Iterator[str]:
    mode = image.mode
    if mode.startswith("I") or mode == "F":
        low, high = image.getextrema()
        yield f"{_depth(mode)} (mode {mode}, values {low:g} to {high:g}): convert('RGB') clips them at 255"
    elif mode in _FOREIGN:
        yield f"mode {mode}"
    elif mode in _TRANSPARENT and image.getchannel("A" if mode != "La" else 1).getextrema()[0] < 255:  # type: ignore[operator]  # noqa: PLR2004 - opaque
        yield f"transparent (mode {mode}): convert('RGB') shows what is beneath"
    elif is_dark and mode in {"L", "RGB"}:
        high = max(extremum[1] for extremum in _extrema(seen))
        if 0 < high < FEW_LEVELS:
            yield f"values end at {high} of 255"


def _framing(image: Image) -> Iterator[str]:
    if (turned := _orientation(image)) > 1:
        yield f"orientation {turned} in its Exif data, which viewers obey and Pillow does not"
    if getattr(image, "n_frames", 1) > 1:
        yield f"{image.n_frames} frames, of which the first is read"  # type: ignore[attr-defined]


def _depth(mode: str) -> str:
    return "16 bits" if mode.startswith("I;16") else "32 bits"


def _extrema(image: Image) -> tuple[tuple[int, int], ...]:
    found = image.getextrema()
    return (found,) if isinstance(found[0], (int, float)) else found  # type: ignore[return-value]


def _orientation(image: Image) -> int:
    if "exif" not in image.info and image.format not in {"TIFF", "MPO"}:
        return 1
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # noqa: BLE001 - Pillow's parsers raise any exception on invalid bytes; the pixels are sound
        return 1
