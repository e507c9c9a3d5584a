"""One look at each decoded image: what is unusual, what is a copy, and what Pillow's limit leaves out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pytest
from PIL import Image

from retspec.checks.data.corrupt_images import corrupt_images
from retspec.measurements.images import images
from retspec.subjects.data.looking import halves, look, waves_of
from retspec.subjects.data.reading import Reading
from retspec.subjects.data.sources.imagefolder import ImageFolder, imagefolder
from tests.photos import SIDE, healthy, pictures

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from retspec.facts import Images

Vector: TypeAlias = "NDArray[np.float32]"
EVEN = np.arange(SIDE * SIDE).reshape(SIDE, SIDE)


def seen(root: Path, **arguments: Any) -> Images:
    found: Images = images(imagefolder(ImageFolder(root="."), root), lambda _done, _total: None, **arguments)
    return found


def of_mode(mode: str) -> Image.Image:
    return Image.fromarray((EVEN % 256).astype(np.uint8)).convert("RGB").convert(mode)


@pytest.mark.parametrize(
    ("image", "says"),
    [
        (Image.fromarray((EVEN * 60).astype(np.uint16)), "16 bits (mode I;16, values 0 to 61380)"),
        (Image.fromarray((EVEN * 60).astype(np.int32)), "32 bits (mode I, values 0 to 61380)"),
        (Image.fromarray((EVEN / 7).astype(np.float32)), "32 bits (mode F"),
        (Image.new("RGBA", (SIDE, SIDE), (9, 99, 199, 20)), "transparent (mode RGBA)"),
        (Image.new("CMYK", (SIDE, SIDE), (9, 99, 199, 20)), "mode CMYK"),
        (Image.fromarray((EVEN % 3).astype(np.uint8)), "values end at 2 of 255"),
        (of_mode("RGB"), ""),
        (of_mode("L"), ""),
        (of_mode("P"), ""),
        (of_mode("1"), ""),
        (of_mode("RGBA"), ""),
        (of_mode("LA"), ""),
        (of_mode("YCbCr"), "mode YCbCr"),
    ],
)
def test_an_image_that_another_mode_would_spoil_is_unusual(image: Image.Image, says: str) -> None:
    found = "; ".join(look(image).unusual)
    assert says in found
    assert bool(says) == bool(found)


def changed(picture: Image.Image, path: Path) -> dict[str, Image.Image]:
    """Return copies of a picture as collections have them, and the mirror image of a small one."""
    picture.convert("RGB").resize((90, 70)).save(path, quality=70)
    with Image.open(path) as compressed:
        compressed.load()
    return {
        "compressed": compressed,
        "coarser": compressed.resize((64, 64)),
        "darker": picture.point(lambda value: int(value * 0.8)),
        "grey": picture.convert("L"),
        "deep": Image.fromarray(np.asarray(picture.convert("L")).astype(np.uint16) * 200),
        "mirrored": compressed.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    }


def described(image: Image.Image) -> Vector:
    has_contrast, vectors = waves_of([look(image).levels])
    assert has_contrast.all()
    return vectors


def similarities(one: Vector, other: Vector) -> tuple[float, float]:
    """Return how alike two images are, upright and where one of them is mirrored."""
    even, odd = (float((this * that).sum()) for this, that in zip(halves(one), halves(other), strict=True))
    return even + odd, even - odd


def test_a_copy_is_alike_under_scale_and_compression_and_pictures_are_not(tmp_path: Path) -> None:
    found = []
    for file in sorted(pictures(tmp_path).rglob("*.png")):
        with Image.open(file) as picture:
            found.append(described(picture))
            for name, copy in changed(picture, tmp_path / "again.jpg").items():
                assert similarities(found[-1], described(copy))[name == "mirrored"] > 0.998, name
    pairs = [(one, other) for index, one in enumerate(found) for other in found[:index]]
    assert max(max(similarities(one, other)) for one, other in pairs) < 0.5


@pytest.mark.parametrize(("width", "height"), [(32, 32), (64, 64), (96, 32), (32, 128)])
def test_a_small_picture_is_averaged_over_all_its_pixels(width: int, height: int) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (height, width), dtype=np.uint8)
    blocks = pixels.reshape(32, height // 32, 32, width // 32).mean(axis=(1, 3))
    levels = np.frombuffer(look(Image.fromarray(pixels)).levels, dtype=np.uint8).reshape(32, 32)
    assert np.abs(levels - blocks).max() < 1


def test_a_picture_without_contrast_is_not_compared() -> None:
    has_contrast, vectors = waves_of([look(Image.new("L", (64, 64), 7)).levels])
    assert not has_contrast.any()
    assert len(vectors) == 0


def test_copies_of_another_split_are_found_upright_and_mirrored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("retspec.subjects.data.copies.AT_ONCE", 6)
    monkeypatch.setattr("retspec.subjects.data.copies.DESCRIBED", 2)
    root = pictures(tmp_path)
    for source, copy in (("0", "again"), ("3", "mirrored")):
        with Image.open(root / f"train/a/{source}.png") as picture:
            small = changed(picture, tmp_path / "again.jpg")["coarser" if copy == "again" else copy]
        small.save(root / f"val/a/{copy}.png")
    assert [(pair.first.file, pair.second.file, pair.mirrored) for pair in seen(root).near] == [
        ("train/a/0.png", "val/a/again.png", False),
        ("train/a/3.png", "val/a/mirrored.png", True),
    ]


def test_a_picture_that_is_its_own_mirror_image_is_not_called_mirrored(tmp_path: Path) -> None:
    root = healthy(tmp_path)
    for number in range(8):
        half = np.random.default_rng(number).integers(0, 255, (6, 3), dtype=np.uint8)
        picture = Image.fromarray(np.concatenate([half, half[:, ::-1]], axis=1)).resize((96, 96))
        picture.save(root / f"train/0_none/even{number}.png")
        picture.resize((64, 64)).save(root / f"val/0_none/even{number}.png")
    found = [pair for pair in seen(root).near if "even" in pair.first.file]
    assert [pair.mirrored for pair in found] == [False] * 8


def test_blank_is_nearly_all_of_one_value_in_every_channel(tmp_path: Path) -> None:
    root = healthy(tmp_path)
    spotted = np.zeros((100, 100, 3), dtype=np.uint8)
    spotted[:10, :20, 1] = 255
    Image.fromarray(spotted).save(root / "train/0_none/spotted.png")
    (blank,) = seen(root).blank
    assert (blank.file, blank.share) == ("train/0_none/spotted.png", 0.98)


def test_a_scan_beyond_pillows_limit_is_not_called_damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 600_000)
    root = healthy(tmp_path)
    for name, width in (("large", 2000), ("near", 900)):
        Image.new("L", (width, 1000), 7).save(root / f"train/0_none/{name}.png")
    found = seen(root)
    assert (found.corrupt, found.decoded, found.listed) == ((), 19, 20)
    (note,) = found.notes
    assert "train/0_none/large.png (2 megapixels), train/0_none/near.png (1 megapixels)" in note
    observed = corrupt_images(found)
    assert observed.value == 0
    assert "train/0_none/large.png has 2 megapixels, more than Pillow opens" in observed.unseen
    assert "max_megapixels" in observed.unseen
    lifted = seen(root, max_megapixels=2)
    assert (lifted.decoded, corrupt_images(lifted).unseen) == (20, "")
    assert Image.MAX_IMAGE_PIXELS == 600_000


def test_grey_among_colour_and_another_size_are_unusual(tmp_path: Path) -> None:
    root = healthy(tmp_path)
    of_mode("L").save(root / "train/0_none/grey.png")
    of_mode("RGB").resize((SIDE * 9, SIDE * 9)).save(root / "train/0_none/large.png")
    assert [(each.file, each.reason) for each in seen(root).unusual] == [
        ("train/0_none/grey.png", "grey among colour images"),
        ("train/0_none/large.png", f"{SIDE * 9} x {SIDE * 9} pixels, where the median side is {SIDE}"),
    ]


# JPEGs, of which the luma is decoded alone -----------------------------------------------------------


def jpegs(folder: Path) -> dict[str, Image.Image]:
    """Write JPEGs of one size: two photographs, one dark, one blank, one of two colours as bright as one another."""
    rng = np.random.default_rng(7)
    drawn = {
        name: Image.fromarray(rng.integers(0, 256, (12, 12, 3), dtype=np.uint8)).resize((SIDE, SIDE)) for name in "ab"
    }
    halves_of_two = np.full((SIDE, SIDE, 3), (200, 60, 60), np.uint8)
    halves_of_two[: SIDE // 2] = (60, 129, 60)
    drawn |= {
        "dark": Image.fromarray((EVEN % 3).astype(np.uint8)).convert("RGB"),
        "blank": Image.new("RGB", (SIDE, SIDE), (90, 30, 200)),
        "two": Image.fromarray(halves_of_two),
    }
    folder.mkdir(parents=True)
    for name, image in drawn.items():
        image.convert("RGB").save(folder / f"{name}.jpg", quality=95)
    return drawn


def test_the_luma_of_a_jpeg_says_what_all_of_it_says(tmp_path: Path) -> None:
    by_luma, exact = Reading(10**6, takes_luma=True), Reading(10**6)
    for name in jpegs(tmp_path / "jpegs"):
        path = tmp_path / "jpegs" / f"{name}.jpg"
        one, other = by_luma.of(path).look, exact.of(path).look
        assert one
        assert other
        assert one.is_of_luma
        assert (one.mode, one.size, one.share, one.unusual) == (other.mode, other.size, other.share, other.unusual)
        levels = [np.frombuffer(each.levels, np.uint8).astype(int) for each in (one, other)]
        assert np.abs(np.subtract(*levels)).max() <= 2, name


@pytest.mark.parametrize("cut", [0.5, 0.99])
def test_a_jpeg_that_is_cut_short_is_corrupt_by_its_luma_too(cut: float, tmp_path: Path) -> None:
    jpegs(tmp_path / "jpegs")
    path = tmp_path / "jpegs" / "a.jpg"
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * cut)])
    reasons = [Reading(10**6, takes_luma=takes_luma).of(path).reason for takes_luma in (True, False)]
    assert "truncated" in reasons[0]
    assert reasons[0] == reasons[1]


def test_a_png_that_is_named_like_a_jpeg_is_a_copy_of_one_with_the_same_pixels(tmp_path: Path) -> None:
    jpegs(tmp_path / "train" / "class")
    (tmp_path / "val" / "class").mkdir(parents=True)
    with Image.open(tmp_path / "train/class/a.jpg") as image:
        image.save(tmp_path / "val/class/again.jpg", "PNG")
    same = [{copy.file for copy in copies} for copies in seen(tmp_path).identical]
    assert same == [{"train/class/a.jpg", "val/class/again.jpg"}]


def test_jpegs_with_the_same_pixels_and_other_bytes_are_copies(tmp_path: Path) -> None:
    jpegs(tmp_path / "train" / "class")
    (tmp_path / "val" / "class").mkdir(parents=True)
    content = (tmp_path / "train/class/a.jpg").read_bytes()
    (tmp_path / "val/class/again.jpg").write_bytes(content + b"trailing")
    assert [len(copies) for copies in seen(tmp_path).identical] == [2]
