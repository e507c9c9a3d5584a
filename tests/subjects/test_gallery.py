"""Pictures of the data show what the model gets, change nothing that is measured, and are asked for."""

from __future__ import annotations

import base64
import io
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from PIL import Image, features
from torchvision import transforms

from retspec.records import fair_share
from retspec.results.results_file import read_report
from retspec.running import run_all
from retspec.subjects.data.batch import Batch, UnlabelledBatch
from retspec.subjects.data.gallery import AUGMENTED, Gallery
from retspec.subjects.data.thumbnails import SIDE, Look, Normalization, under_heat, uri_of
from retspec.subjects.data.transforms import Transform, Transforms
from retspec.subjects.seeds import generator_states
from retspec.text.masking import Mask
from tests.photos import CLASSES, IMAGENET, composed, healthy

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from retspec.records import Picture

WIDE = Image.fromarray(np.kron(np.arange(0, 240, 20, dtype=np.uint8).reshape(3, 4), np.ones((64, 64), np.uint8)))


class Album:
    """Keeps what a gallery shows."""

    def __init__(self, most: int) -> None:
        self.pictures: tuple[Picture, ...] = ()
        self.gallery = Gallery(most, 42, lambda pictures: setattr(self, "pictures", pictures))

    def images(self) -> list[Image.Image]:
        found = []
        for picture in self.pictures:
            start, _, data = picture.image.partition(",")
            found.append(Image.open(io.BytesIO(base64.b64decode(data))))
            assert start == f"data:image/{str(found[-1].format).lower()};base64"
        return found


def made(evaluate: Callable[[Any], Any], augment: Callable[[Any], Any] | None = None) -> Transforms:
    return Transforms(Transform(evaluate), augment and Transform(augment), from_model=False)


def test_a_batch_is_shown_as_it_looked_before_its_normalization() -> None:
    album, grey = Album(12), torch.full((3, 3, 64, 64), 0.25)
    normalize, look = transforms.Normalize(**IMAGENET), Look(Normalization(*IMAGENET.values()), {"none": 0, "mild": 1})
    album.gallery.show_batch(normalize(grey), torch.tensor([0, 1, 7]), lambda: look)
    assert [picture.caption for picture in album.pictures] == ["none", "mild", "label 7"]
    assert "normalization undone" in album.pictures[0].group
    assert np.abs(np.asarray(album.images()[0]).astype(int) - 64).max() <= 2


def test_numbers_of_a_source_that_says_nothing_are_stretched_and_it_is_said() -> None:
    album = Album(12)
    image = torch.linspace(-3, 9, 32 * 32).reshape(1, 1, 32, 32)
    album.gallery.show_batch(image, torch.tensor([[1.0, 0.0, 1.0]]), Look)
    assert "stretched" in album.pictures[0].group
    assert album.pictures[0].caption == "class 0, class 2"
    assert np.asarray(album.images()[0]).min() <= 8
    assert np.asarray(album.images()[0]).max() >= 247


def test_one_image_is_shown_under_its_augmentations_and_decoded_once() -> None:
    album, opened = Album(12), WIDE.convert("RGB")
    augment = composed(transforms.RandomRotation(90), transforms.Resize(200))
    evaluate = album.gallery.evaluating(made(composed(transforms.Resize(32)), augment))
    before = generator_states()
    assert evaluate(opened).shape[0] == 3
    evaluate(opened)
    assert generator_states() == before
    assert [picture.group for picture in album.pictures] == [AUGMENTED] * 6
    assert len({picture.image for picture in album.pictures}) == 6
    assert opened.size == WIDE.size


def test_no_picture_is_larger_than_a_thumbnail_and_there_are_no_more_than_asked_for() -> None:
    album = Album(5)
    album.gallery.evaluating(made(composed(), composed(transforms.RandomHorizontalFlip())))(WIDE.convert("RGB"))
    album.gallery.show_batch(torch.rand(8, 3, 300, 200), torch.zeros(8, dtype=torch.int64), Look)
    album.gallery.show_batch(torch.rand(8, 3, 300, 200), torch.zeros(8, dtype=torch.int64), Look)
    assert [picture.group == AUGMENTED for picture in album.pictures] == [True, True, True, False, False]
    assert max(max(image.size) for image in album.images()) == SIDE
    assert max(len(picture.image) for picture in album.pictures) < 12_000
    assert all("exif" not in image.info for image in album.images())


def test_nothing_is_shown_unasked_or_of_what_is_no_image() -> None:
    unasked, rows = Album(0), Album(12)
    transforms_ = made(composed(), composed())
    unasked.gallery.evaluating(transforms_)(WIDE.convert("RGB"))
    unasked.gallery.show_batch(torch.rand(2, 3, 8, 8), torch.zeros(2), Look)
    rows.gallery.show_batch(torch.rand(2, 70), torch.zeros(2), Look)
    assert unasked.pictures == rows.pictures == ()


@pytest.mark.parametrize("kind", [Batch, UnlabelledBatch])
def test_the_batch_of_a_training_of_ones_own_is_shown_and_given_on(kind: Any) -> None:
    album = Album(4)
    batch = kind(torch.rand(2, 3, 8, 8), *([torch.tensor([1, 0])] if kind is Batch else []))
    assert album.gallery.seen(batch) is batch
    assert [picture.caption for picture in album.pictures] == (["label 1", "label 0"] if kind is Batch else ["", ""])


def test_an_augmentation_that_fails_is_left_to_those_who_measure_it() -> None:
    album = Album(12)
    evaluate = album.gallery.evaluating(made(composed(), lambda _image: 1 / 0))
    evaluate(WIDE.convert("RGB"))
    assert album.pictures == ()


def test_the_words_of_a_picture_are_masked() -> None:
    album = Album(4)
    album.gallery.show_batch(torch.rand(1, 3, 8, 8), torch.tensor([0]), lambda: Look(classes={"hunter2-ward": 0}))
    masked = Mask(["hunter2"]).picture(album.pictures[0])
    assert (masked.caption, masked.image) == ("***-ward", album.pictures[0].image)


@pytest.mark.parametrize("kind", ["webp", "jpeg"])
def test_a_picture_is_webp_where_pillow_writes_it_and_has_nothing_of_its_file(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(features, "check", lambda name: (name, kind) == ("webp", "webp"))
    taken = Image.Exif()
    taken[0x010E] = "Jane Doe"
    written = io.BytesIO()
    WIDE.convert("RGB").save(written, format="JPEG", exif=taken, icc_profile=b"Jane Doe", comment=b"Jane Doe")
    uri = uri_of(Image.open(written))
    head, _, data = uri.partition(",")
    assert head == f"data:image/{kind};base64"
    shown = Image.open(io.BytesIO(base64.b64decode(data)))
    assert (shown.format, shown.size) == (kind.upper(), (SIDE, 72))
    assert not shown.getexif()
    assert b"Jane" not in base64.b64decode(data)


def test_a_map_is_drawn_hot_where_it_is_large() -> None:
    heat = torch.zeros(4, 4)
    heat[0, 3] = 7
    drawn = np.asarray(under_heat(Image.new("RGB", (64, 64), "grey"), heat)).astype(int).sum(2)
    assert drawn[0, 63] == drawn.max() > drawn[63, 0] + 200
    assert drawn[:16, 48:].mean() > drawn[:16, 32:48].mean() + 100
    assert len({*drawn[32:, :32].ravel().tolist()}) == 1


def test_of_few_pictures_none_is_a_lone_decoded_image() -> None:
    album = Album(2)
    album.gallery.evaluating(made(composed(), composed(transforms.RandomHorizontalFlip())))(WIDE.convert("RGB"))
    album.gallery.show_batch(torch.rand(8, 3, 8, 8), torch.zeros(8, dtype=torch.int64), Look)
    assert [picture.caption for picture in album.pictures] == ["label 0", "label 0"]


@pytest.mark.parametrize(
    ("groups", "most", "shares"),
    [
        ("aaaabbbbcccc", 6, "aabbcc"),
        ("abbbbbbcc", 6, "abbbcc"),
        ("aaaa", 6, "aaaa"),
        ("ababab", 5, "ababa"),
        ("abc", 2, "ab"),
        ("", 6, ""),
    ],
)
def test_groups_share_what_there_is_room_for(groups: str, most: int, shares: str) -> None:
    assert "".join(fair_share(groups, most, str)) == shares


SPEC = """\
retspec: 1
model: {factory: "tests.tiny:vit"}
data: {imagefolder: {root: photos}, transform: "tests.photos:small", train_transform: "tests.photos:small_and_turned"}
train: {steps: 2}
run: {gallery: %d, device: cpu}
checks: {max_final_loss: 100}
"""


def test_a_run_measures_the_same_with_pictures_and_without(tmp_path: Path) -> None:
    healthy(tmp_path / "photos")
    specs = [tmp_path / "none.yaml", tmp_path / "twelve.yaml"]
    for spec, count in zip(specs, (0, 12), strict=True):
        spec.write_text(SPEC % count)
    paths = [{"json": tmp_path / f"{spec.stem}.json"} for spec in specs]
    without, shown = run_all(specs, reports=paths, entry_points=False)
    assert shown.results[0].observed == without.results[0].observed
    assert shown.results[0].observed is not None
    captions = [picture.caption for picture in shown.pictures]
    assert captions[:2] == ["as it was decoded", "draw 1"]
    assert {*captions} >= set(CLASSES)
    kept = [json.loads(path["json"].read_text()) for path in paths]
    assert ["pictures" in each for each in kept] == [False, True]
    assert kept[0]["provenance"]["subject_sha256"] == kept[1]["provenance"]["subject_sha256"]
    assert read_report(tmp_path / "twelve.json").pictures == shown.pictures
