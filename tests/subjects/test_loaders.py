"""Loaders at work: what is timed is what was asked for. How long it took is no business of a test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
from msgspec import convert
from torchvision import transforms

from retspec.errors import SubjectError
from retspec.measurements.data_wait import data_wait
from retspec.measurements.loader import loader
from retspec.measurements.stages import stages
from retspec.records import Recipe
from retspec.subjects.data.loaders import ROUNDS, FileFeed, one_process
from retspec.subjects.data.sources.imagefolder import ImageFolder, imagefolder
from retspec.subjects.data.transforms import Transform, Transforms
from retspec.subjects.devices import cores
from retspec.subjects.training.making import TrainerMaker
from tests.photos import composed, healthy, truncate
from tests.tiny import convnet

if TYPE_CHECKING:
    from pathlib import Path

    from retspec.facts import Dataset

CPU = torch.device("cpu")
SMALL = Transforms(Transform(composed(transforms.Resize((32, 32)))), None, from_model=False)
AUGMENTED = Transforms(SMALL.evaluate, Transform(composed(transforms.RandomCrop(16))), from_model=False)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return imagefolder(ImageFolder(root="."), healthy(tmp_path_factory.mktemp("photos")))


def quiet(_step: int, _total: int) -> None:
    """Take progress and say nothing."""


@pytest.mark.parametrize("workers", [0, 2])
def test_every_round_has_its_batches_of_augmented_images(dataset: Dataset, workers: int) -> None:
    rounds = [list(batches) for batches in FileFeed(dataset, AUGMENTED, 5).rounds(workers)]
    assert [len(batches) for batches in rounds] == [4] * (1 + ROUNDS)
    images, labels = rounds[-1][-1]
    assert (images.shape, labels.shape, set(labels.tolist())) == ((5, 3, 16, 16), (5,), {0, 1, 2})


def test_the_sweep_tries_the_workers_that_the_cores_can_feed_or_those_asked_for(dataset: Dataset) -> None:
    feed = FileFeed(dataset, SMALL, 3)
    asked = loader(feed, CPU, quiet, workers=[1])
    (tried,) = asked.sweep
    assert (tried.workers, tried.images, len(tried.seconds)) == (1, (4 * 3,) * ROUNDS, ROUNDS)
    by_default = [each.workers for each in loader(feed, CPU, quiet).sweep]
    assert by_default == [number for number in (0, 2, 4, 8) if number <= (0 if one_process(CPU) else cores())]


def test_on_mps_loading_stays_in_one_process() -> None:
    assert "MPS" in one_process(torch.device("mps"))


def test_an_image_that_cannot_be_opened_ends_the_sweep_with_its_name(tmp_path: Path) -> None:
    root = healthy(tmp_path)
    truncate(root / "train/1_mild/0.jpg")
    broken = imagefolder(ImageFolder(root="."), root)
    with pytest.raises(SubjectError, match=r"1_mild/0.jpg cannot be opened"):
        loader(FileFeed(broken, SMALL, 3), CPU, quiet, workers=[0])
    with pytest.raises(SubjectError, match=r"1_mild/0.jpg cannot be opened"):
        stages(broken, SMALL, quiet)


def test_every_step_of_both_transforms_is_timed_in_every_round(dataset: Dataset) -> None:
    facts = stages(dataset, AUGMENTED, quiet, images=3)
    assert [stage.name for stage in facts.transform] == ["Resize", "ToTensor", "Normalize"]
    assert [stage.name for stage in facts.train_transform] == ["RandomCrop", "ToTensor", "Normalize"]
    every = (facts.decoding, *facts.transform, *facts.train_transform)
    assert {len(stage.seconds) for stage in every} == {ROUNDS}
    assert all(seconds > 0 for stage in every for seconds in stage.seconds)


def test_a_fed_training_learns_and_leaves_the_model_as_it_was(dataset: Dataset) -> None:
    model = convnet()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    seen: list[float] = []
    model[-1].register_forward_hook(lambda module, _inputs, _output: seen.append(float(module.weight.detach().sum())))
    facts = data_wait(model, FileFeed(dataset, SMALL, 4), TrainerMaker(Recipe()), CPU, quiet, workers=0)
    assert (facts.workers, len(facts.waited), len(facts.trained)) == (0, ROUNDS, ROUNDS)
    assert all(seconds > 0 for seconds in (*facts.waited, *facts.trained))
    assert len(set(seen)) == len(seen) == 4 * (1 + ROUNDS), "every step moves the weights"
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())


def test_the_plan_counts_the_passes_of_a_fed_training() -> None:
    passes = data_wait.passes(convert({"accumulation": 2}, Recipe), workers=0)
    assert (passes.forward, passes.backward) == (8 * (1 + ROUNDS), 8 * (1 + ROUNDS))
