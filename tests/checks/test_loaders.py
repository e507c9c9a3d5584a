"""The checks on loaders say how much they read, and name what they found."""

from __future__ import annotations

from typing import Any

import pytest

from retspec.checks.loaders.bad_batches import bad_batches
from retspec.checks.loaders.epoch_order_repeats import epoch_order_repeats
from retspec.checks.loaders.equal_worker_samples import equal_worker_samples
from retspec.checks.loaders.train_loader_augments import train_loader_augments
from retspec.errors import Inconclusive, SpecError
from retspec.facts import BadBatch, EpochOrders, ItemReads, Sweep, WorkerDraws
from retspec.measurements.epoch_orders import epoch_orders
from retspec.measurements.item_reads import train_reads, worker_draws
from retspec.measurements.shared_samples import shared_samples
from retspec.measurements.sweep import sweep
from retspec.prepare import prepare
from retspec.subjects.data.user_loaders import UserLoader, UserLoaders
from tests import feeds
from tests.here import run_here


def quiet(_step: int, _total: int) -> None:
    """Take progress and say nothing."""


def loaders(train: Any, val: Any = None, sweep: int = 50) -> UserLoaders:
    return UserLoaders(UserLoader("train", train), val and UserLoader("val", val), sweep)


def test_a_sweep_names_the_first_bad_batch_with_its_index_and_says_how_many_it_read() -> None:
    facts = sweep(loaders(feeds.train_with_nan(), feeds.val(), sweep=8), None, quiet, task=None, num_classes=3)
    assert facts == Sweep(
        read={"train": 8, "val": 8},
        batches={"train": 10, "val": 10},
        num_classes=3,
        bad=(BadBatch("train", 6, ("inputs of 1 samples are NaN or infinite, the first at 1",)),),
    )
    observed = bad_batches(facts)
    assert observed.details["read"] == {"train": "8 of 10", "val": "8 of 10"}
    assert observed.details["bad"] == ["train batch 6: inputs of 1 samples are NaN or infinite, the first at 1"]


def test_a_sweep_of_an_iterable_without_a_length_says_so() -> None:
    facts = sweep(loaders(feeds.train_iterable()), None, quiet, task=None, num_classes=3)
    assert bad_batches(facts).details["read"] == {"train": "10 of an unknown number"}


def test_labels_that_start_at_one_are_named() -> None:
    (first, *_) = sweep(loaders(feeds.train_labels_from_one()), None, quiet, task=None, num_classes=3).bad
    assert (first.index, first.faults) == (7, ("targets 3 are not in 0..2",))


def test_augmentation_says_how_many_items_it_read() -> None:
    facts = train_reads(loaders(feeds.train()), items=12)
    assert (facts.read, facts.items, facts.reads) == (12, 40, 4)
    assert train_loader_augments(facts).details["items"] == "12 of 40"


def test_augmentation_of_a_few_images_is_seen_among_many() -> None:
    facts = ItemReads("train", 4, 16, 40, differing=("3",))
    assert train_loader_augments(facts).value is True


def test_a_sampler_says_which_items_are_read() -> None:
    assert train_reads(loaders(feeds.val_sampled())).items == 10
    assert train_reads(loaders(feeds.train_weighted())).items == 30


@pytest.mark.parametrize(
    ("train", "equal"),
    [
        (feeds.train_own_generator, ("worker 1 = worker 0", "worker 2 = worker 0")),
        (feeds.train_two_workers, ()),
    ],
)
def test_each_worker_is_compared_with_the_earlier_ones(train: Any, equal: tuple[str, ...]) -> None:
    draws = worker_draws(loaders(train()), items=8, workers=3)
    assert draws == WorkerDraws("train", 3, 8, 40, varies=True, equal=equal)


def test_workers_that_draw_nothing_are_no_proof() -> None:
    with pytest.raises(Inconclusive, match="nothing is drawn"):
        equal_worker_samples(WorkerDraws("train", 2, 16, 40, varies=False, equal=("worker 1 = worker 0",)))


def test_the_order_is_asked_of_the_sampler_without_reading_an_item() -> None:
    given = feeds.train_not_shuffled()
    given.dataset.images.clear()  # type: ignore[attr-defined]
    given.dataset.images.extend([None] * 40)  # type: ignore[attr-defined]
    facts = epoch_orders(loaders(given))
    assert facts == EpochOrders("train", 16, 40, repeats=True, compared_by="keys", needs_set_epoch=False)
    assert epoch_order_repeats(facts).details["samples"] == "16 of 40"


def test_targets_of_one_class_show_no_order() -> None:
    with pytest.raises(Inconclusive, match="16 targets of 1 values"):
        epoch_orders(loaders(feeds.Batches([0] * 20)))


def test_shared_samples_are_named_by_their_keys() -> None:
    facts = shared_samples(loaders(feeds.train_subset(), feeds.val_overlapping()), quiet)
    assert facts.shared == ("train 28 = val 0", "train 29 = val 1")
    assert (facts.read, facts.samples) == ({"train": 30, "val": 12}, {"train": 30, "val": 12})
    assert facts.compared_by == "content before transforms"


def test_a_bound_on_the_samples_is_in_the_facts() -> None:
    facts = shared_samples(loaders(feeds.train(), feeds.val()), quiet, samples=15)
    assert (facts.read, facts.samples) == ({"train": 15, "val": 15}, {"train": 40, "val": 40})


def test_samples_without_a_transform_are_compared_as_they_are_and_that_is_said() -> None:
    facts = shared_samples(loaders(feeds.train_tensors(), feeds.val_tensors()), quiet)
    assert facts.compared_by.endswith("no attribute of the dataset of `train` and `val` holds a transform")


def test_reading_without_transforms_leaves_the_users_dataset_unchanged() -> None:
    given = feeds.train_subset()
    shared_samples(loaders(given, feeds.val_subset()), quiet)
    assert given.dataset.dataset.transform is feeds.AUGMENT  # type: ignore[attr-defined]


def test_other_checks_use_the_loader_that_trains(tmp_path: Any) -> None:
    spec = tmp_path / "spec.yaml"
    spec.write_text(
        'retspec: 1\nmodel: {factory: "tests.feeds:classifier"}\n'
        'data: {loaders: {train: "tests.feeds:train"}}\nchecks: {output_shape: [4, 3]}\n'
    )
    (result,) = run_here(spec).values()
    assert result.verdict.value == "met", result.reason


def test_a_spec_without_loaders_says_what_to_add(tmp_path: Any) -> None:
    spec = tmp_path / "spec.yaml"
    spec.write_text("retspec: 1\nchecks: {bad_batches: 0}\n")
    with pytest.raises(SpecError, match="bad_batches reads loaders, and `data` names none; write `loaders: "):
        prepare(spec, entry_points=False)
