"""The DataLoader that fed a watched training is `train`, the one that fed evaluations is `val`, or it says why not."""

from __future__ import annotations

import copy
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader

from retspec.errors import Inconclusive
from retspec.subjects.training.watching.launching import launch_callable
from retspec.subjects.training.watching.rerun import Rerun
from retspec.subjects.training.watching.watched import WatchedRun
from tests import feeds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

STEPS = 26
"""Two passes and a half."""


class Parts:
    """A model and three loaders, and what loops do with them."""

    def __init__(self) -> None:
        self.train, self.val, self.test = feeds.train(), feeds.val(), feeds.val()
        self.model = nn.Sequential(nn.Flatten(), nn.Linear(192, 3))
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.01)

    def epoch(self, batches: Iterable[Any]) -> None:
        self.model.train()
        for inputs, targets in batches:
            self.step(inputs, targets)

    def step(self, inputs: Any, targets: Any) -> None:
        loss = functional.cross_entropy(self.model(inputs), targets)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()

    def evaluate(self, batches: Iterable[Any], model: nn.Module | None = None, *, with_gradients: bool = False) -> None:
        model = model or self.model
        model.eval()
        with nullcontext() if with_gradients else torch.no_grad():
            for inputs, _ in batches:
                model(inputs)


def ahead(batches: Iterable[Any]) -> Iterator[Any]:
    """Take each batch before the one before it is used, as accelerate does."""
    iterator = iter(batches)
    held = next(iterator)
    for batch in iterator:
        yield held
        held = batch
    yield held


def plain(parts: Parts) -> None:
    parts.epoch(parts.train)
    parts.evaluate(parts.val)


def taken_ahead(parts: Parts) -> None:
    parts.epoch(ahead(parts.train))
    parts.evaluate(ahead(parts.val))


def looked_at(parts: Parts) -> None:
    next(iter(parts.val))
    plain(parts)


def sanity_check(parts: Parts) -> None:
    parts.evaluate([next(iter(parts.val))])
    plain(parts)


def with_gradients(parts: Parts) -> None:
    parts.epoch(parts.train)
    parts.evaluate(parts.val, with_gradients=True)
    parts.evaluate(parts.val)


def with_training_metrics(parts: Parts) -> None:
    plain(parts)
    parts.evaluate(parts.train)
    parts.evaluate(DataLoader(parts.train.dataset, batch_size=8))


def with_new_loaders(parts: Parts) -> None:
    parts.epoch(parts.train)
    parts.evaluate(DataLoader(parts.val.dataset, batch_size=4))
    parts.evaluate(parts.val)


def with_teacher(parts: Parts) -> None:
    teacher = copy.deepcopy(parts.model).eval()
    parts.model.train()
    for inputs, targets in parts.train:
        with torch.no_grad():
            teacher(inputs)
        parts.step(inputs, targets)
    parts.evaluate(parts.val)


def with_persistent_workers(parts: Parts) -> None:
    if not parts.train.persistent_workers:
        parts.train = DataLoader(parts.train.dataset, batch_size=4, num_workers=1, persistent_workers=True)
    plain(parts)


def watched(loop: Callable[[Parts], None]) -> tuple[Parts, WatchedRun]:
    """Run a loop, over and over, until the watch ends it."""
    parts = Parts()

    def train() -> None:
        while True:
            loop(parts)

    launch = launch_callable("loop", train, Path(), [])
    rerun = Rerun(source="callable", value="loop", folder=".", steps=STEPS, threads=1)
    return parts, WatchedRun.of(launch, rerun, lambda _step, _total: None)


@pytest.mark.parametrize(
    "loop",
    [
        *(plain, taken_ahead, looked_at, sanity_check, with_gradients, with_training_metrics, with_teacher),
        with_persistent_workers,
    ],
)
def test_both_loaders_are_told_apart(loop: Callable[[Parts], None]) -> None:
    parts, run = watched(loop)
    assert run.loaders.train.given is parts.train
    assert run.loaders.val.given is parts.val


def test_a_loader_that_is_made_again_over_the_same_data_is_one() -> None:
    parts, run = watched(with_new_loaders)
    assert run.loaders.val.given.dataset is parts.val.dataset


def test_the_workers_of_persistent_loaders_are_ended() -> None:
    parts, run = watched(with_persistent_workers)
    assert parts.train._iterator is None
    assert len(list(run.loaders.train.epoch())) == 10


def test_what_is_read_afterwards_is_neither_timed_nor_counted() -> None:
    _, run = watched(plain)
    before = run.watch.waits.batches
    assert len(list(run.loaders.train.epoch())) == 10
    assert run.watch.waits.batches == before


def together(parts: Parts) -> None:
    other = feeds.train()
    parts.epoch((torch.cat([a, b]), torch.cat([c, d])) for (a, c), (b, d) in zip(parts.train, other, strict=True))


def tensors(parts: Parts) -> None:
    parts.epoch([(torch.randn(4, 3, 8, 8), torch.arange(4) % 3)])


def two_evaluations(parts: Parts) -> None:
    plain(parts)
    parts.evaluate(parts.test)


def unvalidated(parts: Parts) -> None:
    parts.epoch(parts.train)


def ended_early(parts: Parts) -> None:
    parts.epoch(parts.train)
    raise SystemExit


def validated_in_train_mode(parts: Parts) -> None:
    parts.epoch(parts.train)
    with torch.no_grad():
        for inputs, _ in parts.val:
            parts.model(inputs)


@pytest.mark.parametrize(
    ("loop", "why"), [(together, "2 DataLoaders fed its training together"), (tensors, "no DataLoader gave a batch")]
)
def test_without_one_loader_for_training_the_reason_is_given(loop: Callable[[Parts], None], why: str) -> None:
    _, run = watched(loop)
    with pytest.raises(Inconclusive, match=why):
        _ = run.loaders


@pytest.mark.parametrize(
    ("loop", "why"),
    [
        (two_evaluations, "2 DataLoaders fed evaluations"),
        (unvalidated, "no forward pass without gradients in the watched steps; raise `train.steps`, now 26"),
        (ended_early, "no forward pass without gradients in the watched steps; then it ended by itself"),
        (validated_in_train_mode, "no evaluation in eval mode read a DataLoader"),
    ],
)
def test_without_one_loader_for_validation_the_reason_is_given(loop: Callable[[Parts], None], why: str) -> None:
    parts, run = watched(loop)
    assert run.loaders.train.given is parts.train
    with pytest.raises(Inconclusive, match=why):
        _ = run.loaders.val


def test_a_forward_pass_that_raised_is_not_counted() -> None:
    def loop(parts: Parts) -> None:
        for inputs, targets in parts.train:
            for given in (inputs[:, :1], inputs):
                try:
                    parts.step(given, targets)
                except RuntimeError:
                    parts.evaluate([(given, targets)] if given is inputs else [])

    _, run = watched(loop)
    assert run.loop.forwards == STEPS
    assert run.watch.backwards == STEPS


def test_a_training_that_goes_on_in_a_handler_is_counted() -> None:
    def loop(parts: Parts) -> None:
        try:
            parts.step(torch.randn(4, 1), torch.zeros(4))
        except RuntimeError:
            parts.epoch(parts.train)

    _, run = watched(loop)
    assert run.loop.forwards == STEPS
