"""`Subject`: the parts of a run that measurements ask for, each built once on demand."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from retspec.errors import SubjectError, describe
from retspec.facts import Owners
from retspec.subjects.callables import allow_imports_from
from retspec.subjects.checkpoints import File, Loaded
from retspec.subjects.data.building import DataBuilder
from retspec.subjects.data.item_files import folders_of
from retspec.subjects.data.loaders import PastFeed
from retspec.subjects.data.parts import part_inputs
from retspec.subjects.devices import choose_device
from retspec.subjects.models.base_models import BaseModels
from retspec.subjects.models.building import ModelBuilder
from retspec.subjects.models.libraries import know
from retspec.subjects.models.sealed import SealedModel
from retspec.subjects.models.skeleton import Skeleton, hollow, on_meta
from retspec.subjects.planting import Planting
from retspec.subjects.predictions.made_from import sha256_of_split
from retspec.subjects.predictions.making import PredictionMaker, made_in
from retspec.subjects.predictions.reading import PredictionReader
from retspec.subjects.training.own_training import OwnTraining

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager

    import torch
    from torch import nn

    from retspec.facts import Dataset, DistributedRun
    from retspec.plugin import Source
    from retspec.plugins.kinds import Fault
    from retspec.records import Config, Picture, Recipe, Spec
    from retspec.subjects.data.batch import Batch
    from retspec.subjects.data.loaders import Feed
    from retspec.subjects.data.transforms import Transforms
    from retspec.subjects.data.user_loaders import UserLoaders
    from retspec.subjects.training.making import TrainerMaker
    from retspec.subjects.training.watching.watched import WatchedRun


class Subject:
    """Model, skeleton, data, recipe and device of one spec.

    The base model is made once, and taken from `bases` or kept there for a later subject. If a measurement needs its
    weights (`weights`), the skeleton is made from it, so that both have the same layers; otherwise it is built on the
    meta device, and no weights are made.

    fault: what is planted into it, until `give_back`.
    making: entered with the name of a part while it is made; note, show: called with notes and pictures for a reader.
    """

    def __init__(  # noqa: PLR0913 - the sources of each section
        self,
        spec: Spec,
        *,
        model_sources: Mapping[str, Source],
        data_sources: Mapping[str, Source],
        training_sources: Mapping[str, Source] | None = None,
        weights: bool,
        fault: Fault | None = None,
        bases: BaseModels | None = None,
        keep: bool = False,
        progress: Callable[[int, int], None] = lambda _step, _total: None,
        making: Callable[[str], AbstractContextManager[object]] = nullcontext,
        note: Callable[[tuple[str, ...]], None] = lambda _notes: None,
        show: Callable[[tuple[Picture, ...]], None] = lambda _pictures: None,
    ) -> None:
        know(model_sources.values())
        self._planting = Planting(fault, spec.run.seed)
        self._spec, self._weights = spec, weights
        bases = bases or BaseModels()
        self._builder = ModelBuilder(spec, model_sources, bases, keep=keep, note=note, planting=self._planting)
        self._training_sources = training_sources or {}
        self._data = DataBuilder(
            spec,
            data_sources,
            batch_size=self.recipe.batch_size,
            skeleton=lambda: self.optional_skeleton,
            outputs=lambda shape: self.skeleton.trace(shape).output_shape,
            making=making,
            note=note,
            show=show,
            planting=self._planting,
        )
        self._making, ended = making, self._data.after_training
        self._own = OwnTraining(
            spec, self._training_sources, self._planting, progress=progress, making=making, ended=ended
        )
        allow_imports_from(*spec.folders, Path.cwd())

    @property
    def recipe(self) -> Recipe:
        """The recipe of the short trainings; `data.batch_size` takes precedence over `train.batch_size`."""
        return replace(self._spec.train, batch_size=self._spec.data.batch_size or self._spec.train.batch_size)

    @property
    def trainer(self) -> TrainerMaker:
        """Makes trainers, which take optimizer steps."""
        from retspec.subjects.training.making import TrainerMaker

        if self._own.is_launched:
            return TrainerMaker.after(self.watched_run, self._spec, self.recipe, self._training_sources)
        maker = TrainerMaker.of(self._spec, self.recipe, self._training_sources, self._data.after_training)
        return replace(maker, planting=self._planting)

    @property
    def own_optimizers(self) -> Owners:
        """Which parameters the optimizers of the user's own hold; raises SubjectError when the spec names none."""
        if self._own.is_launched:
            return Owners.seen_in(self.watched_run.loop)
        return self.trainer.owners(self.model)

    @property
    def watched_run(self) -> WatchedRun:
        """The user's own training, run and watched; raises SubjectError when the spec names none."""
        return self._own.watched_run

    @property
    def ranked_run(self) -> DistributedRun:
        """The user's own training, run on several ranks; raises SubjectError when the spec names none."""
        return self._own.ranked_run

    @property
    def epochs(self) -> UserLoaders | DistributedRun:
        """What shows the order of epochs: the loaders under test, else the ranks of the user's own training."""
        training = self._spec.training
        is_ranked = self._own.is_launched and training is not None and training.arguments.get("ranks") is not None
        return self.ranked_run if is_ranked and not self._data.source.gives_loaders else self.loaders

    @property
    def config(self) -> Config:
        """The project's own training config; raises SubjectError when the spec names none."""
        if self._spec.config is None:
            raise SubjectError("this needs the training config; name it as `config: path.yaml`", path="")
        return self._spec.config

    @cached_property
    def device(self) -> torch.device:
        """The device of the run; raises SubjectError when the machine does not have it."""
        return choose_device(self._spec.run.device)

    @property
    def model(self) -> nn.Module:
        """The wrapped model on its device; it is built on the CPU, so that every device gets the same weights.

        Of a training of the user's own, it is the module that trains, as it was before the first step.

        Raises SubjectError when it cannot be built, or does not fit on the device, and Spoilt when it cannot be built
        again as it was.
        """
        return self._sealed.get()

    @cached_property
    def _sealed(self) -> SealedModel:
        if self._own.is_launched:
            return SealedModel(lambda: self.watched_run.module, forget=None)
        return SealedModel(self._built_model, forget=self._builder.forget_base)

    def _built_model(self) -> nn.Module:
        device = self.device
        with self._making("model"):
            return self._placed(self._builder.build(filled=True), device)

    @property
    def build_again(self) -> Callable[[Callable[[nn.Module], nn.Module]], nn.Module] | None:
        """A function that builds the model again, with another one that wraps the base; None without its adapter."""
        if self._own.is_launched or self._spec.model is None or not self._spec.model.wraps:
            return None
        return lambda wrap: self._placed(self._builder.build_again(wrap), self.device)

    def _placed(self, model: nn.Module, device: torch.device) -> nn.Module:
        try:
            return part_inputs(model, self._data.parts).to(device)
        except RuntimeError as error:
            raise SubjectError(f"the model does not fit on {device}: {describe(error)}") from error

    def keeps_model(self, *, thorough: bool) -> bool:
        """Whether the model is what it was when it was built; if not, the next measurement gets one built again.

        thorough: look at every setting of its modules, too.
        """
        return self._sealed.holds(thorough=thorough)

    @property
    def loaded(self) -> Loaded:
        """The result of loading the checkpoint; raises SubjectError without one."""
        file, _ = self.checkpoint_file, self.model
        return Loaded(self._builder.required_loading, file)

    @property
    def checkpoint_file(self) -> File:
        """The file of the checkpoint; raises SubjectError without one."""
        return self._builder.required_checkpoint

    @property
    def checkpoint_sha256(self) -> str:
        """SHA-256 of the checkpoint, empty if weights are not measured; raises SubjectError when it is unreadable."""
        return self._builder.checkpoint_sha256 if self._weights else ""

    @property
    def adapter_sha256(self) -> str:
        """SHA-256 of the adapter's weights, empty without one; raises SubjectError when they cannot be read."""
        return self._builder.adapter.weights.sha256() if self._builder.adapter else ""

    @cached_property
    def skeleton(self) -> Skeleton:
        """The model without weights."""
        with self._making("skeleton"):
            module = None if self._weights or self._own.is_launched else self._builder.build_on_meta()
        module = hollow(self.model, on_meta) if module is None else part_inputs(module, self._data.parts)
        from_file = self._spec.model is not None and self._spec.model.checkpoint is not None
        return Skeleton(module, real=lambda: self.model, from_file=from_file)

    @property
    def optional_skeleton(self) -> Skeleton | None:
        """The model without weights; None when the spec has no model."""
        return self.skeleton if self._own.is_launched or self._spec.model is not None else None

    @property
    def dataset(self) -> Dataset:
        """The files of the dataset; raises SubjectError when the data section has none."""
        return self._data.dataset

    @cached_property
    def prediction_files(self) -> PredictionReader:
        """Reads or makes the predictions of a trained model; raises SubjectError when the spec names none."""
        reader = PredictionReader.of(self._spec, self._builder.weights_read)
        reader.listed, reader.listed_sha256 = self._data.listed, partial(sha256_of_split, self._data)
        reader.plant = partial(self._planting.into, "predictions")
        if reader.is_made and self._planting.plants:  # your files are those of the healthy model
            reader.section = made_in(reader.section, self._planting.folder())
        return PredictionMaker(self._spec, reader, self._data, self) if reader.is_made else reader

    @cached_property
    def feed(self) -> Feed:
        """A stream of batches; raises SubjectError when the data section gives only one batch."""
        source = self._data.source
        if self._own.is_launched and not (source.gives_files or source.may_give_loader):
            loop = self.watched_run.loop
            return PastFeed(loop.batch_size, loop.workers)
        return self._data.feed()

    @property
    def loaders(self) -> UserLoaders:
        """The loaders of the user's training: those of the data section, or those seen while it was watched.

        Raises SubjectError when the spec gives neither, Inconclusive when the training showed none.
        """
        if self._own.is_launched and not self._data.source.gives_loaders:
            return self.watched_run.loaders
        return self._data.loaders

    @property
    def data_folders(self) -> Callable[[Sequence[str]], tuple[str, ...]]:
        """Returns the folders of given paths, or those of the data section; raises SubjectError for a missing path."""
        return lambda given: folders_of(given, (*self._spec.folders, Path.cwd())) if given else self._data.folders

    @property
    def transforms(self) -> Transforms:
        """The transforms from the images of the dataset to tensors."""
        return self._data.transforms

    @cached_property
    def batch(self) -> Batch:
        """The batch of every measurement, on the device; floating-point inputs have the dtype of the model.

        Of a training of the user's own, it is the first one that entered the model.
        """
        if self._own.is_launched:
            return self._data.gallery.seen(self.watched_run.batch)
        return self._made_batch(None)

    def _made_batch(self, samples: int | None) -> Batch:
        return self._planting.into("batch", self._data.on(self.device, *self._data.take(samples)))

    @property
    def take_batch(self) -> Callable[[int], Batch]:
        """A function that returns a batch of a number of images, whatever the batch size of the spec."""
        if self._own.is_launched:
            return self.batch.first
        return self._made_batch

    @property
    def lacks_fault(self) -> bool:
        """Whether there is a fault to plant, and nothing was asked for that it changes."""
        return self._planting.is_waiting

    def give_back(self) -> None:
        """Take the planted fault out again."""
        self._planting.undo()
