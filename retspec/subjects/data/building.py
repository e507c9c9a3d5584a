"""Building what the data section describes: files, the user's loaders, a stream of batches, or one batch."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from retspec.errors import SubjectError
from retspec.facts import BatchRequest
from retspec.subjects.data.batch import Batch
from retspec.subjects.data.classes import class_notes, unnumbered_notes, with_classes
from retspec.subjects.data.eyes import eye_notes, eyes_of
from retspec.subjects.data.gallery import Gallery
from retspec.subjects.data.groups import with_groups
from retspec.subjects.data.images import take_images, with_images
from retspec.subjects.data.loaders import FileFeed
from retspec.subjects.data.ordered import OrderedReading
from retspec.subjects.data.pairs import Pair
from retspec.subjects.data.parts import Parts
from retspec.subjects.data.thumbnails import Look, normalization_of
from retspec.subjects.data.transforms import Transforms, build_transforms
from retspec.subjects.data.user_loader import LoaderFeed
from retspec.subjects.kwargs_paths import with_paths
from retspec.subjects.models.structure import input_size
from retspec.subjects.seeds import loaded_libraries, seeded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    import torch
    from torch import Tensor
    from torch.utils.data import DataLoader

    from retspec.facts import Dataset
    from retspec.plugin import Source
    from retspec.records import Keys, Picture, Spec
    from retspec.subjects.data.loaders import Feed
    from retspec.subjects.data.user_loaders import UserLoaders
    from retspec.subjects.models.skeleton import Skeleton
    from retspec.subjects.planting import Planting
    from retspec.subjects.training.making import Ended


class DataBuilder:
    """Calls the data source of a spec, with seeded random numbers.

    skeleton: the model without weights, for its input size; None in a spec without a model.
    outputs: the shape of the model's output for a batch of that shape; raises SubjectError without a model.
    making: entered with the name of a part while it is made.
    note: called with what a reader should know of the dataset, in whole sentences. show: called with pictures of it.
    """

    def __init__(  # noqa: PLR0913 - what it takes from the model, and what it reports
        self,
        spec: Spec,
        sources: Mapping[str, Source],
        *,
        batch_size: int,
        skeleton: Callable[[], Skeleton | None],
        outputs: Callable[[tuple[int, ...]], tuple[int, ...]],
        making: Callable[[str], AbstractContextManager[object]],
        note: Callable[[tuple[str, ...]], None],
        show: Callable[[tuple[Picture, ...]], None],
        planting: Planting,
    ) -> None:
        self._planting = planting
        self._data = spec.data
        self._folder = Path(spec.file).resolve().parent
        self._seed = spec.run.seed
        self.batch_size = batch_size
        self._skeleton = skeleton
        self._outputs = outputs
        self._recipe = spec.train
        self._making = making
        self._note = note
        self.gallery = Gallery(spec.run.gallery, spec.run.seed, show, note)
        self.source = sources[spec.data.source]
        declared = self.source.arguments  # a spec arrives as plain data
        self._arguments = {
            name: msgspec.convert(value, declared[name].type, strict=False)
            for name, value in spec.data.arguments.items()
        }
        self._keys: Keys | None = self._arguments.get("keys")
        self.parts = Parts() if self._keys is not None or _names_several_images(spec.data.value) else None
        """What parts several inputs in front of the model; None where the spec does not say where they are."""

    @cached_property
    def dataset(self) -> Dataset:
        """The files; raises SubjectError when the source gives none."""
        if not self.source.gives_files:
            raise SubjectError(
                f"this needs data that knows its files, and `{self.source.name}` gives batches alone; use "
                "`imagefolder`, `csv`, `datasets` or `webdataset` under `data`",
                path="data",
            )
        with self._making("dataset"):
            loaded = loaded_libraries()
            dataset = self._call(self._folder, only_loaded=True)
            if loaded != loaded_libraries():  # a source that imports torch or numpy must draw seeded numbers too
                dataset = self._call(self._folder)
            described = self._planting.into("dataset", self.described(with_images(dataset, self.source.name)))
        if described.notes:
            self._note(described.notes)
        return described

    @property
    def folders(self) -> tuple[str, ...]:
        """The folder of the files; none where the source gives none."""
        return (self.dataset.folder,) if self.source.gives_files else ()

    def described(self, dataset: Dataset) -> Dataset:
        """Return a dataset with the groups and classes that the spec gives, and notes on what it does not give."""
        dataset = with_classes(with_groups(dataset, self._data.group), self._data.classes)
        strange = [] if self._data.classes else [*class_notes(dataset)]
        eyes = eyes_of(dataset)
        notes = (*dataset.notes, *unnumbered_notes(dataset), *strange, *eye_notes(eyes))
        return replace(dataset, notes=notes, eyes=eyes)

    @cached_property
    def transforms(self) -> Transforms:
        """The transforms from the images of the dataset to tensors."""
        with self._making("transforms"):
            return self._planting.into("transforms", build_transforms(self._data, self._skeleton))

    @cached_property
    def loaders(self) -> UserLoaders:
        """The loaders of the user's training; raises SubjectError when the source gives none."""
        if not self.source.gives_loaders:
            raise SubjectError(
                f"this needs loaders of yours, and `{self.source.name}` gives none; use `loaders` under `data`",
                path="data",
            )
        loaders: UserLoaders = self._call(self._request(None))
        return loaders

    def batches(self, samples: int | None) -> tuple[Tensor, Tensor] | LoaderFeed:
        """Return what a source without files gives: a batch (inputs, targets), or a stream of batches.

        samples: how many the batch should have; None leaves it to the source.
        """
        from torch.utils.data import DataLoader

        if self.source.gives_loaders:
            train = self.loaders.train
            given = train.given
            return self._feed(given, train.path) if isinstance(given, DataLoader) else self.noted(next(train.epoch()))
        made: Any = self._call(self._request(samples))
        return self._feed(made, f"data.{self.source.name}") if isinstance(made, DataLoader) else self.noted(made)

    def _feed(self, loader: DataLoader[Any], path: str) -> LoaderFeed:
        return LoaderFeed(loader, path, self._keys)

    def noted(self, pair: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """Return a batch, and note how several inputs lie in it."""
        if self.parts is not None and isinstance(pair, Pair):
            self.parts.layout, self.parts.targets = pair.layout, pair.targets_layout
        return pair

    def take(self, samples: int | None) -> tuple[Tensor, Tensor]:
        """Return a batch (inputs, targets) of a number of images; None for the batch size of the spec."""
        if self.source.gives_files:
            dataset, evaluate = self.dataset, self.gallery.evaluating(self.transforms)
            with seeded(self._seed):
                pair = take_images(dataset, evaluate, samples or self.batch_size, self._seed)
            self.gallery.show_batch(*pair, self.look)
            return self.noted(pair)
        given = self.batches(samples)
        if not isinstance(given, tuple):
            with seeded(self._seed):
                given = self.noted(given.first)
        self.gallery.show_batch(*given, self.look)
        return given

    def look(self) -> Look:
        """Return how images of this source are shown."""
        if self.source.gives_files:
            return Look(normalization_of(self.transforms.evaluate), self.dataset.first.classes)
        named = self._data.classes if isinstance(self._data.classes, (list, tuple)) else ()
        return Look(classes={str(name): number for number, name in enumerate(named)})

    @property
    def after_training(self) -> Ended | None:
        """What shows a trained model in the gallery; None where the spec asks for no pictures."""
        if not self.gallery.most:
            return None
        from retspec.subjects.onlooker import AfterTraining

        return AfterTraining(self.gallery, self.look, self._recipe)

    def on(self, device: torch.device, inputs: Tensor, targets: Tensor) -> Batch:
        """Return a batch on a device; floating-point inputs get the dtype of the model.

        Raises SubjectError for several inputs that a model of this dtype cannot get as they are.
        """
        skeleton = self._skeleton()
        if skeleton is not None and inputs.is_floating_point():
            if self.parts is not None:
                self.parts.require(skeleton.dtype)
            inputs = inputs.to(skeleton.dtype)
        return Batch(inputs.to(device), targets.to(device))

    def listed(self, split: str) -> tuple[str, ...]:
        """Return the images of a split, each once, in the order of its list; none where the data has no such split."""
        splits = self.dataset.splits if self.source.gives_files else {}
        return tuple(dict.fromkeys(each.file for each in splits[split].examples)) if split in splits else ()

    def in_order(self, split: str) -> Iterator[Pair]:
        """Yield all images of a split as batches (inputs, targets), each once, in the order of its list."""
        reading = OrderedReading(self.dataset, split, self.transforms.evaluate)
        yield from map(self.noted, reading.batches(self.batch_size))

    def feed(self) -> Feed:
        """Return a stream of batches; raises SubjectError when the source gives only one batch."""
        if self.source.gives_files:
            return FileFeed(self.dataset, self.transforms, self.batch_size)
        given = self.batches(None)
        if isinstance(given, LoaderFeed):
            if self.parts is not None:
                self.noted(given.first)
            return given
        raise SubjectError(
            f"this needs batch after batch, and `{self.source.name}` gave a single one; let it give a DataLoader",
            path=f"data.{self.source.name}",
        )

    def _request(self, samples: int | None) -> BatchRequest:
        skeleton = self._skeleton()
        return BatchRequest(
            samples=samples,
            batch_size=self.batch_size,
            seed=self._seed,
            input_size=None if skeleton is None else input_size(skeleton.module),
            outputs=self._outputs,
            task=self._recipe.task,
            loss=self._recipe.loss if self._recipe.step is None else "",
        )

    def _call(self, context: BatchRequest | Path, *, only_loaded: bool = False) -> Any:
        with seeded(self._seed, only_loaded=only_loaded):
            value = msgspec.convert(self._data.value, self.source.value_type, strict=False)
            return self.source(value, context, **with_paths(self._arguments, self._folder, "data"))


def _names_several_images(value: Any) -> bool:
    """Whether an example of a table or of shards has several images, which is known before any is read."""
    columns = value.get("image_column", value.get("image")) if isinstance(value, Mapping) else None
    return isinstance(columns, (list, dict)) and len(columns) > 1
