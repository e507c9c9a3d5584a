"""`TrainerMaker`, the part `trainer` of a subject: makes trainers from the section `train` or a variation."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from retspec.errors import NoVerdict, SubjectError
from retspec.records import EVERY_TRAINING, RECIPE_KEYS, TrainingSource, decided_by, is_reference
from retspec.subjects.planting import Planting
from retspec.subjects.training.own_optimizer import own_optimizer, owners_of
from retspec.subjects.training.sources.recipe import recipe as built_in
from retspec.subjects.training.trainer import Trainer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch import nn

    from retspec.facts import Owners
    from retspec.plugin import Source
    from retspec.records import Recipe, Spec
    from retspec.subjects.data.batch import Batch
    from retspec.subjects.training.tasks.task import Task
    from retspec.subjects.training.watching.watched import WatchedRun

    Ended = Callable[[nn.Module, Batch, Task | None, int], None]
    """Called after a training: with its model as it left it, its batch, the task if it is known, and the steps."""

_VARIABLE = frozenset({"amp", "accumulation", "lr"})
"""What a measurement may vary of a watched training; all else is the user's own."""


@dataclass(frozen=True)
class TrainerMaker:
    """Makes trainers of one kind of training.

    recipe: the keys of the section `train`; for a plugin's training, those that it shares with the recipe.
    """

    recipe: Recipe
    source: Source = built_in
    chosen: TrainingSource = field(default_factory=lambda: TrainingSource(source=built_in.name))
    planting: Planting = field(default_factory=Planting)
    watched: WatchedRun | None = None
    """The run of the user's own training; None for a kind that makes trainers."""
    ended: Ended | None = None
    """Who looks at the model after the training of the spec; None for nobody."""

    @staticmethod
    def of(spec: Spec, recipe: Recipe, sources: Mapping[str, Source], ended: Ended | None = None) -> TrainerMaker:
        """Return the maker for the training that a spec names, the recipe by default."""
        if spec.training is None:
            return TrainerMaker(recipe, ended=ended)
        return TrainerMaker(recipe, sources[spec.training.source], spec.training, ended=ended)

    @staticmethod
    def after(run: WatchedRun, spec: Spec, recipe: Recipe, sources: Mapping[str, Source]) -> TrainerMaker:
        """Return the maker of trainers that train as a watched training did."""
        return replace(TrainerMaker.of(spec, run.recipe(recipe), sources), watched=run)

    @property
    def is_recipe(self) -> bool:
        """Whether the training is the built-in recipe."""
        return self.source is built_in

    def owners(self, model: nn.Module) -> Owners:
        """Return which parameters of the model the user's own optimizer holds.

        Raises SubjectError when the spec names none, and what building it raises.
        """
        if not is_reference(self.recipe.optimizer):
            raise SubjectError(
                "this asks about an optimizer of yours; name it as `train: {optimizer: package.module:callable}`",
                path="train",
            )
        optimizer, _ = own_optimizer(model, str(self.recipe.optimizer))
        return owners_of(model, optimizer)

    def varied(self, **variations: Any) -> TrainerMaker:
        """Return a maker whose trainers differ in some keys of the recipe.

        Raises NoVerdict when this kind of training does not have such a key, or a function of the user's decides it.
        """
        asked = {name: value for name, value in variations.items() if value != getattr(self.recipe, name)}
        decided = decided_by(self.recipe) if self.is_recipe else {}
        for name in asked.keys() & decided.keys():
            key = decided[name]
            raise NoVerdict(
                f"this needs a training with {name} {asked[name]}, and `train.{key}` decides it by "
                f"{getattr(self.recipe, key)}"
            )
        if not self.is_recipe:
            known = _VARIABLE if self.watched else self.source.arguments
            for name, value in asked.items():
                if name not in EVERY_TRAINING and name not in known:
                    raise NoVerdict(
                        f"this needs a training with {name} {value}, and `train.{self.source.name}` has no "
                        f"key {name!r} to vary"
                    )
        return replace(self, recipe=replace(self.recipe, **asked))

    def on(self, model: nn.Module, batch: Batch, **variations: Any) -> Trainer:
        """Return a trainer of a model on a batch.

        Raises what `varied` raises, and SubjectError when the source does not return a Trainer or refuses its keys.
        """
        if variations:
            return self.varied(**variations).on(model, batch)
        if self.watched is not None:
            return self.watched.trainer(model, batch, self.recipe)
        if self.is_recipe:
            made = self.source(self.recipe, model, batch)
        else:
            shared = {name: getattr(self.recipe, name) for name in self.source.arguments if name in RECIPE_KEYS}
            made = self.source(self.chosen.value, model, batch, **self.chosen.arguments, **shared)
        if not isinstance(made, Trainer):
            raise SubjectError(f"{self.source.name} gave {type(made).__name__}, not a Trainer", path="train")
        return self.planting.into("trainer", made)
