"""Gratings differ in what they promise to differ in, and in nothing that a photograph would not have."""

from __future__ import annotations

import pytest
import torch
from retspec.facts import BatchRequest
from retspec.plugin import SubjectError

from retspec_features.gratings import Gratings, gratings


def request(seed: int = 42, input_size: tuple[int, ...] | None = (3, 32, 48), images: int = 8) -> BatchRequest:
    return BatchRequest(
        batch_size=images, seed=seed, input_size=input_size, outputs=lambda shape: (shape[0], shape[0] // 2)
    )


def test_images_have_the_models_size_zero_mean_and_unit_variance() -> None:
    images, labels = gratings(Gratings(), request())
    assert images.shape == (8, 3, 32, 48)
    assert labels.tolist() == [0, 1, 2, 3, 0, 1, 2, 3]
    torch.testing.assert_close(images.mean(dim=(1, 2, 3)), torch.zeros(8), atol=1e-5, rtol=0)
    torch.testing.assert_close(images.std(dim=(1, 2, 3)), torch.ones(8))


def test_one_seed_makes_one_batch() -> None:
    first, again, other = (gratings(Gratings(), request(seed))[0] for seed in (1, 1, 2))
    assert first.equal(again)
    assert not first.equal(other)


def test_no_two_images_are_alike() -> None:
    images, _ = gratings(Gratings(num_classes=2), request(images=32))
    assert len(torch.unique(images.flatten(1), dim=0)) == 32


def test_the_label_is_the_orientation() -> None:
    """Label 0 varies along the columns alone, and label 1 of 2, a right angle away, along the rows alone."""
    images, labels = gratings(Gratings(num_classes=2), request())
    by_row, by_column = images.std(dim=2).amax(dim=(1, 2)), images.std(dim=3).amax(dim=(1, 2))
    assert (by_row[labels == 0] < 1e-4).all()
    assert (by_column[labels == 1] < 1e-4).all()
    assert (by_column[labels == 0] > 0.1).all()


def test_what_the_spec_gives_comes_before_what_the_model_tells() -> None:
    images, labels = gratings(Gratings(input_size=[1, 16, 16], num_classes=2), request())
    assert images.shape == (8, 1, 16, 16)
    assert labels.max() == 1


@pytest.mark.parametrize("size", [None, (3072,)])
def test_a_model_that_takes_no_images_needs_a_size(size: tuple[int, ...] | None) -> None:
    with pytest.raises(SubjectError, match=r"give their size, as in `data: \{gratings: \{input_size: "):
        gratings(Gratings(), request(input_size=size))
