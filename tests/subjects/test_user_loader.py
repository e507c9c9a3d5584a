"""DataLoaders of the user's: timed as they are, rebuilt with other workers alone, and told of what they cannot pin."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import torch
from torch.utils.data import BatchSampler, DataLoader, IterableDataset, SequentialSampler

from retspec.errors import SubjectError
from retspec.measurements.data_wait import data_wait
from retspec.measurements.loader import loader
from retspec.records import Recipe
from retspec.subjects.data.loaders import ROUNDS, one_process
from retspec.subjects.data.pairs import pair_of
from retspec.subjects.data.user_loader import LoaderFeed
from retspec.subjects.devices import cores
from retspec.subjects.training.making import TrainerMaker
from tests.tiny import Items, batch, convnet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

CPU, CUDA, MPS = map(torch.device, ("cpu", "cuda", "mps"))
PATH = "data.factory"


class Meta:
    """What came with the images; nothing that torch can pin."""


class Pinned(Meta):
    def pin_memory(self) -> Pinned:
        return self


@dataclass
class Scans:
    """A batch of a type of its own."""

    images: Tensor
    labels: Tensor


class Pair(NamedTuple):
    inputs: Tensor
    targets: Tensor


class Stream(IterableDataset[Any]):
    def __iter__(self) -> Iterator[tuple[Tensor, int]]:
        yield from ((image, 0) for image in batch(6)[0])


class Own(DataLoader[Any]):
    """A class with an idea of its own."""


class Several(Items):
    """Gives whole batches by lists of indices."""

    def __getitem__(self, index: Any) -> Any:
        return self.inputs[index], torch.tensor(index)


class Broken(Items):
    def __getitem__(self, index: int) -> Any:
        raise OSError(f"scan {index} is on a disk that is not mounted")


def quiet(_step: int, _total: int) -> None:
    """Take progress and say nothing."""


def with_meta(kind: type[Meta], items: list[Any]) -> dict[str, Any]:
    images, labels = torch.utils.data.default_collate(items)
    return {"image": images, "label": labels, "file": ["a.jpg"], "about": [{"scan": kind()} for _ in items]}


def feed(given: DataLoader[Any]) -> LoaderFeed:
    return LoaderFeed(given, PATH)


# Batches -------------------------------------------------------------------------------------------


def test_a_loader_is_timed_with_its_own_batches_epoch_after_epoch() -> None:
    given = DataLoader(Items(), batch_size=12)
    facts = loader(feed(given), CPU, quiet, workers=[0])
    (tried,) = facts.sweep
    assert (facts.batch_size, facts.given, tried.workers) == (12, 0, 0)
    assert tried.images == ((12 + 6 + 12 + 12, 6 + 12 + 12 + 6, 12 + 12 + 6 + 12) * 3)[:ROUNDS]


def test_its_own_number_of_workers_is_tried_first_and_the_usual_ones_after_it() -> None:
    given = DataLoader(Items(), batch_size=5, num_workers=1, persistent_workers=True, prefetch_factor=3)
    facts = loader(feed(given), CPU, quiet, workers=[0])
    assert ([tried.workers for tried in facts.sweep], facts.given) == ([1, 0], 1)
    here = DataLoader(Items(), batch_size=5)
    assert [tried.workers for tried in loader(feed(here), MPS, quiet).sweep] == [0], "macOS: one process"
    by_default = [tried.workers for tried in loader(feed(here), CPU, quiet).sweep]
    assert by_default == [number for number in (0, 2, 4, 8) if number <= (0 if one_process(CPU) else cores())]


@pytest.mark.parametrize(
    "given",
    [
        DataLoader(Items(), batch_size=4, drop_last=True),
        DataLoader(Items(), batch_sampler=BatchSampler(SequentialSampler(range(9)), 3, drop_last=False)),
        DataLoader(Several(), batch_size=None, sampler=[[2, 4], [1, 3]]),
        DataLoader(Stream(), batch_size=4),
    ],
    ids=["batches", "sampled batches", "no batching", "stream"],
)
def test_a_loader_with_other_workers_gives_the_same_batches(given: DataLoader[Any]) -> None:
    own, rebuilt = (islice(feed(given).stream(workers, 0), 6) for workers in (0, 1))
    for (inputs, targets), (others, theirs) in zip(own, rebuilt, strict=True):
        assert torch.equal(inputs, others)
        assert torch.equal(targets, theirs)


def test_a_loader_of_its_own_class_is_timed_as_it_is_and_never_rebuilt() -> None:
    given = Own(Items(), batch_size=5)
    assert [tried.workers for tried in loader(feed(given), CPU, quiet).sweep] == [0]
    with pytest.raises(SubjectError, match="Own is a subclass of DataLoader and is timed with its own 0 workers"):
        loader(feed(given), CPU, quiet, workers=[2])


def test_a_training_is_fed_with_the_loaders_own_workers() -> None:
    given = DataLoader(Items(), batch_size=5)
    facts = data_wait(convnet(), feed(given), TrainerMaker(Recipe()), CPU, quiet)
    assert (facts.workers, len(facts.waited)) == (0, ROUNDS)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (DataLoader(Broken(), batch_size=2), "the DataLoader raised OSError: scan 0 is on a disk"),
        (DataLoader(Items(), batch_size=31, drop_last=True), "the DataLoader gives no batch"),
        (DataLoader(Items(), batch_size=2, collate_fn=lambda _: 1), "gave int; a batch is a pair"),
    ],
)
def test_a_loader_that_gives_no_batches_says_why(given: DataLoader[Any], says: str) -> None:
    with pytest.raises(SubjectError, match=says):
        loader(feed(given), CPU, quiet, workers=[0])


INPUTS, TARGETS = batch()


@pytest.mark.parametrize(
    "given",
    [(INPUTS, TARGETS, ["a.jpg"]), {"x": INPUTS, "y": TARGETS}, Scans(INPUTS, TARGETS), Pair(INPUTS, TARGETS)],
    ids=["tuple", "mapping", "record", "named tuple"],
)
def test_inputs_and_targets_are_found_in_what_people_take_for_a_batch(given: Any) -> None:
    inputs, targets = pair_of(given, "it", path=PATH)
    assert (inputs is INPUTS, targets is TARGETS) == (True, True)


def test_a_record_without_the_usual_attributes_is_told_with_those_it_has() -> None:
    given = Scans(INPUTS, TARGETS)
    vars(given)["grade"] = vars(given).pop("labels")
    with pytest.raises(SubjectError, match="it gave Scans with the attributes images, grade; one of labels, label"):
        pair_of(given, "it", path=PATH)


# Pinning -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "pin", "device", "told"),
    [
        (Meta, True, CUDA, ["leaves batch['about'][0]['scan'] (Meta) as it is"]),
        (Pinned, True, CUDA, []),
        (Meta, True, MPS, ["does nothing for a training on mps", "(Meta) as it is"]),
        (Pinned, True, CPU, ["does nothing for a training on cpu"]),
        (Meta, False, CPU, []),
        (Meta, False, CUDA, ["copies while the GPU works"]),
    ],
)
def test_what_pinning_does_not_do_is_told(kind: type[Meta], pin: bool, device: torch.device, told: list[str]) -> None:  # noqa: FBT001
    given = DataLoader(Items(), batch_size=3, pin_memory=pin, collate_fn=partial(with_meta, kind))
    lines = feed(given).pinning(device)
    assert len(lines) == len(told)
    assert all(part in line for part, line in zip(told, lines, strict=True)), lines


def test_a_batch_of_a_type_of_its_own_is_told_as_a_whole() -> None:
    given = DataLoader(Items(), batch_size=3, pin_memory=True, collate_fn=lambda _: Scans(INPUTS, TARGETS))
    (line,) = feed(given).pinning(CUDA)
    assert line.startswith("pin_memory=True leaves batch (Scans) as it is")
