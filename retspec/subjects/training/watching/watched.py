"""A watched training, kept for the measurements that come after it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from retspec.errors import NoVerdict, SubjectError
from retspec.subjects.data.batch import Batch, UnlabelledBatch
from retspec.subjects.devices import settings_of_torch
from retspec.subjects.models.state import trained_tensors
from retspec.subjects.models.structure import has_adapter
from retspec.subjects.training.watching.replay import Replay
from retspec.subjects.training.watching.rerun import Rerun, trace_of
from retspec.subjects.training.watching.seen_loaders import loaders_of
from retspec.subjects.training.watching.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor, nn

    from retspec.facts import Training
    from retspec.facts.loop import Loop
    from retspec.facts.reruns import Trace
    from retspec.records import Recipe
    from retspec.subjects.data.user_loaders import UserLoaders
    from retspec.subjects.training.making import Ended
    from retspec.subjects.training.trainer import Trainer
    from retspec.subjects.training.watching.launching import Launch


@dataclass(frozen=True)
class WatchedRun:
    """What a watched training left: its facts, and its module as it was before the first step."""

    loop: Loop
    watch: Watch
    launched: Rerun
    """What was launched, as plain data: the same can be run again in another process."""
    trained: dict[str, Tensor] = field(default_factory=dict)
    """The trained tensors by name, of a module with an adapter."""

    @staticmethod
    def of(
        launch: Launch, launched: Rerun, progress: Callable[[int, int], None], ended: Ended | None = None
    ) -> WatchedRun:
        """Run a training until it has taken its steps; `ended` looks at its module before that is given back."""
        watch = Watch(launch, launched.steps, progress)
        with settings_of_torch():
            loop = watch.run()
        watch.forwards.feeders.let_go()
        if watch.trainee is None:
            return WatchedRun(loop, watch, launched)
        module = watch.trainee.module
        trained = trained_tensors(module) if has_adapter(module) else {}
        run = WatchedRun(loop, watch, launched, trained)
        if ended is not None:
            with suppress(SubjectError, NoVerdict):  # what was called without a tensor has no batch to show
                ended(module, run.batch, None, len(loop.main_steps))
        watch.trainee.give_back()
        return run

    def again(self, *, args: Sequence[str] | None = None, steps: int | None = None, config: str = "") -> Trace:
        """Run the training once more in a fresh process, with other arguments or for more steps if given.

        config: a file whose reads are followed.

        Raises NoVerdict when that process dies.
        """
        arguments = self.launched.arguments if args is None else {**self.launched.arguments, "args": list(args)}
        return trace_of(replace(self.launched, arguments=arguments, steps=steps or self.launched.steps, config=config))

    @property
    def module(self) -> nn.Module:
        """The module that trains; raises SubjectError when none was seen."""
        if self.watch.trainee is None:
            raise SubjectError(f"{self.loop.command} trained no module: {self._what_came}", path="train")
        return self.watch.trainee.module

    @property
    def training(self) -> Training:
        """The steps as facts about a training; raises SubjectError when no module was seen."""
        if self.watch.training is None:
            raise SubjectError(f"{self.loop.command} trained no module: {self._what_came}", path="train")
        return self.watch.training

    def trainer(self, model: nn.Module, batch: Batch, recipe: Recipe) -> Trainer:
        """Return a trainer that trains as this training did; raises NoVerdict when not all of it was seen."""
        return Replay(model, batch, recipe, self)

    def recipe(self, asked: Recipe) -> Recipe:
        """Return a recipe with what was seen: the rate, the micro-batches of a step, the precision of autocast."""
        main = self.watch.main
        if main is None:
            return asked
        rates = [rate for rates in main.rates for rate in rates]
        backwards = [each.backwards for each in self.watch.applied if each.optimizer == main.index]
        weights = {str(p.dtype).removeprefix("torch.") for p in self.module.parameters()}
        seen = replace(asked, lr=max(rates, default=asked.lr), accumulation=max(1, *backwards), amp="none")
        match self.loop.autocast_dtype:
            case "bfloat16" | "float16" as amp if amp not in weights:
                return replace(seen, amp=amp)
        return seen

    @cached_property
    def batch(self) -> Batch:
        """The first batch that entered the module; raises SubjectError when it was called without a tensor."""
        called = self.watch.first_call
        if called is None or called.inputs is None:
            raise SubjectError(f"{self.loop.command} gave {type(self.module).__name__} no tensor", path="train")
        targets = self.watch.criteria.targets if called.labels is None else called.labels
        return UnlabelledBatch(called.inputs) if targets is None else Batch(called.inputs, targets)

    @cached_property
    def loaders(self) -> UserLoaders:
        """The DataLoaders that fed it and its evaluations; raises Inconclusive when none did."""
        return loaders_of(self.watch)

    @property
    def _what_came(self) -> str:
        forwards = sum(self.watch.forwards.trainings.values())
        seen = f"{forwards} forward passes with gradients, {self.watch.backwards} backward passes, no optimizer step"
        return f"{self.loop.ending or 'it was ended'}; seen were {seen}"
