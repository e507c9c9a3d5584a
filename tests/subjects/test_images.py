"""Batches of images: balanced, seeded, and clear about what cannot be put into one."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest
import torch
from PIL import ImageFile
from torchvision import transforms

from retspec.errors import SubjectError
from retspec.facts import Dataset, Example, Split
from retspec.measurements.images import images
from retspec.subjects.data.images import balanced, take_images
from retspec.subjects.data.reading import Reading
from retspec.subjects.data.sources.imagefolder import ImageFolder, imagefolder
from retspec.subjects.data.transforms import Transform
from tests.photos import healthy, imagenet, truncate, write_folders

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    write_folders(tmp_path, {"train": {"many": 20, "few": 2, "some": 5}})
    return imagefolder(ImageFolder(root="."), tmp_path)


def test_a_batch_is_balanced_as_far_as_the_classes_reach(dataset: Dataset) -> None:
    for samples, expected in {6: {0: 2, 1: 2, 2: 2}, 11: {0: 2, 1: 5, 2: 4}}.items():
        inputs, targets = take_images(dataset, Transform(imagenet()), samples, seed=0)
        assert inputs.shape == (samples, 3, 16, 16)
        assert Counter(targets.tolist()) == Counter(expected)


def test_a_batch_is_the_same_for_the_same_seed_alone(dataset: Dataset) -> None:
    first, second, other = (take_images(dataset, Transform(imagenet()), 6, seed)[0] for seed in (1, 1, 2))
    assert torch.equal(first, second)
    assert not torch.equal(first, other)


def test_every_image_stands_in_the_order_once(dataset: Dataset) -> None:
    order = balanced(dataset.first.examples, seed=3)
    assert sorted(each.file for each in order) == sorted(each.file for each in dataset.first.examples)


def test_what_cannot_be_in_a_batch_is_told_with_its_file(dataset: Dataset, tmp_path: Path) -> None:
    truncate(tmp_path / "train/few/0.jpg")
    with pytest.raises(SubjectError, match=r"few/0.jpg cannot be opened: .*truncated.*`corrupt_images` list"):
        take_images(dataset, Transform(imagenet()), 27, seed=0)
    unlabelled = Split((Example("train/few/1.jpg", None, ""),), {})
    with pytest.raises(SubjectError, match=r"few/1.jpg has no label"):
        take_images(Dataset(str(tmp_path), {"train": unlabelled}), Transform(imagenet()), 1, seed=0)


def test_tensors_of_different_sizes_are_no_batch(dataset: Dataset) -> None:
    random_size = transforms.Compose([transforms.ToTensor(), transforms.Lambda(lambda x: x[:, : 2 + int(x.sum()) % 7])])
    with pytest.raises(SubjectError, match=r"different sizes, \(3, \d, 32\), \(3, \d, 32\)"):
        take_images(dataset, Transform(random_size), 27, seed=0)


# Reading every file -------------------------------------------------------------------------------


def test_every_file_is_read_once_with_progress_whatever_pillow_was_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    root = healthy(tmp_path)
    truncate(root / "val/0_none/0.jpg")
    (root / "val/0_none/1.jpg").write_bytes(b"")
    (root / "val/1_mild/0.jpg").unlink()
    (root / "val/1_mild/0.jpg").symlink_to("nowhere.jpg")
    told: list[tuple[int, int]] = []
    facts = images(imagefolder(ImageFolder(root="."), tmp_path), lambda done, total: told.append((done, total)))
    assert facts.read == 17
    truncated, empty = facts.corrupt
    assert (truncated.file, "truncated" in truncated.reason) == ("val/0_none/0.jpg", True)
    assert (empty.file, empty.reason) == ("val/0_none/1.jpg", "the file is empty")
    assert told == [(0, 18), (16, 18)]
    assert ImageFile.LOAD_TRUNCATED_IMAGES


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (bytes(128) + b"DICM" + bytes(50), "it is DICOM, which Pillow does not read"),
        (b"\n<!DOCTYPE html><html>", "it is a page of HTML, as a failed download leaves"),
        (b"version https://git-lfs.github.com/spec/v1\n", "it is a pointer of Git LFS, not the image; `git lfs pull`"),
        (b"PK\x03\x04", "it is a zip archive"),
        (b"nothing known", "UnidentifiedImageError: cannot identify image file"),
    ],
)
def test_what_is_no_image_is_named_by_its_bytes(content: bytes, reason: str, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(content)
    assert Reading(10**6).of(tmp_path / "a.png").reason.startswith(reason)
