"""The measurement `training`: optimizer steps on one fixed batch, with their losses, gradients and changes."""

from __future__ import annotations

from contextlib import ExitStack
from math import isfinite
from time import perf_counter
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta
from msgspec.structs import asdict

from retspec.errors import NoVerdict
from retspec.facts import GradientHistory, Training
from retspec.facts.training import drop
from retspec.plugin import Cost, Passes, measurement
from retspec.subjects.devices import synchronize
from retspec.subjects.models.dropout import without_dropout
from retspec.subjects.models.state import Snapshot, fingerprints, preserved, trained_tensors
from retspec.subjects.models.structure import drifted, groups, has_adapter
from retspec.subjects.training.beginning import Memory
from retspec.subjects.training.diagnosis import nonfinite_backward, nonfinite_operation
from retspec.subjects.training.norms import finite, norms_of
from retspec.subjects.training.reach import goal_of, is_out_of_reach, rate_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch import Tensor, nn
    from torch.optim import Optimizer

    from retspec.records import Recipe
    from retspec.subjects.data.batch import Batch
    from retspec.subjects.training.beginning import Beginning
    from retspec.subjects.training.making import TrainerMaker
    from retspec.subjects.training.trainer import Trainer
    from retspec.subjects.training.watching.watched import WatchedRun


Steps = Annotated[int, Meta(ge=1, description="Optimizer steps.")]
LearningRate = Annotated[float, Meta(ge=0, description="Learning rate.")]


class Trained(Training, frozen=True, dict=True):
    """The facts, and for a model with an adapter the trained tensors, which are not recorded."""

    @property
    def tensors(self) -> dict[str, Tensor]:
        """The trainable parameters by name, as copies from the end of the training; empty without an adapter."""
        tensors: dict[str, Tensor] = self.__dict__["tensors"]
        return tensors

    @property
    def beginning(self) -> Beginning | None:
        """What its first steps came to; None if they were not remembered, or not all taken."""
        beginning: Beginning | None = self.__dict__["beginning"]
        return beginning

    @staticmethod
    def of(facts: Training, tensors: dict[str, Tensor], beginning: Beginning | None = None) -> Trained:
        """Return the facts with the tensors and the beginning."""
        trained = Trained(**asdict(facts))
        # No fields, so that only the facts are recorded.
        trained.__dict__.update(tensors=tensors, beginning=beginning)
        return trained


def training_passes(recipe: Recipe, steps: int, **_others: object) -> Passes:
    """Return the passes of a training: one forward and one backward per micro-batch."""
    return Passes(forward=steps * recipe.accumulation, backward=steps * recipe.accumulation)


def fewest_passes(recipe: Recipe, steps: int, **_others: object) -> Passes:
    """Return the passes of a training that `train.stop_at_drop` ends as early as possible."""
    return training_passes(recipe, steps if recipe.stop_at_drop is None else min(steps, recipe.min_steps))


@measurement(cost=Cost.TRAINING, passes=training_passes, fewest_passes=fewest_passes)
def training(
    model: nn.Module,
    batch: Batch,
    trainer: TrainerMaker,
    progress: Callable[[int, int], None],
    *,
    steps: Steps,
    lr: LearningRate,
) -> Trained:
    """Train on one fixed batch, in train mode, as the spec says, and restore the model.

    The training ends at the first loss that is not finite; one more pass then finds the operation that caused it. With
    `train.stop_at_drop` it also ends once the loss has fallen by that share of the first loss and `train.min_steps`
    steps are done.

    lr: handed to `trainer.varied`; None, as in the recipe, where an optimizer of the user's own has its rates.

    Raises NoVerdict for a model without trainable parameters, and for a rate that the training does not take.
    """
    if trainer.watched is not None:
        return _watched(trainer.watched, steps)
    return train(model, batch, trainer.varied(steps=steps, lr=lr), progress, remembers=True)


def _watched(run: WatchedRun, steps: int) -> Trained:
    """Return the facts of the user's own training, which ran once; raises NoVerdict for another number of steps."""
    if steps != run.loop.requested:
        raise NoVerdict(f"the training was watched for {run.loop.requested} steps, not for {steps}; set `train.steps`")
    return Trained.of(run.training, run.trained)


def train(
    model: nn.Module,
    batch: Batch,
    trainer: TrainerMaker,
    progress: Callable[[int, int], None],
    *,
    remembers: bool = False,
) -> Trained:
    """Take the steps of a training, record them, and restore the model; raises what `training` raises.

    remembers: whether to keep what the first steps came to.
    """
    recipe = trainer.recipe
    with ExitStack() as stack:
        snapshot = stack.enter_context(preserved(model))
        if recipe.dropout == "zero":
            stack.enter_context(without_dropout(model))
        model.train()
        frozen = _fingerprints(model)
        log = _Log(model)
        memory = Memory(recipe, model) if remembers else None
        running = trainer.on(model, batch)
        for step in range(recipe.steps):
            progress(step + 1, recipe.steps)
            log.take_step(running, memory)
            if log.is_over(recipe):
                break
        facts = log.training(running, recipe.steps, snapshot, frozen)
        trained = trained_tensors(model) if has_adapter(model) else {}
        if remembers and trainer.ended is not None:
            trainer.ended(model, running.batch, running.task, len(log.losses))
        return Trained.of(facts, trained, memory.beginning if memory else None)


class _Log:
    """Records each step of a training.

    Raises NoVerdict for a model without trainable parameters.
    """

    def __init__(self, model: nn.Module) -> None:
        self._model = model
        self._trainable = [(name, p, group) for name, p, group in groups(model) if p.requires_grad]
        if not self._trainable:
            raise NoVerdict("nothing trains: no parameter requires a gradient; see `min_trainable_params`")
        self.losses: list[float] = []
        """Of each step that was taken."""
        self._nonfinite_loss_at: int | None = None
        self._seconds: list[float] = []
        self._norms: list[list[float | None]] = []
        self._nonfinite = [0] * len(self._trainable)
        self._skipped: list[int] = []
        self._nonfinite_backward = ""
        self._rates: dict[int, list[float]] = {}
        """Of each parameter by its identity: its learning rate at each step."""

    def take_step(self, trainer: Trainer, memory: Memory | None) -> None:
        """Take one step and record it; without an update when the loss is not finite."""
        start = perf_counter()
        loss = trainer.backward()
        if loss is None:
            self._nonfinite_loss_at = len(self.losses)
            return
        synchronize(trainer.device)
        paused = perf_counter()
        norms = norms_of([parameter for _, parameter, _ in self._trainable])
        first = not any(self._nonfinite) and not all(map(_is_finite, norms))
        if first and not trainer.scales:
            self._nonfinite_backward = nonfinite_backward(self._model, trainer)
        rates = _rates(trainer)
        if memory:
            memory.before_update(loss)
        resumed = perf_counter()
        updated = trainer.update()
        synchronize(trainer.device)
        self._seconds.append(perf_counter() - start - (resumed - paused))
        if memory:
            memory.after_update()
        self.losses.append(loss)
        if updated:
            self._note(norms, rates)
        else:  # expected while the loss scaler finds its scale: https://docs.pytorch.org/docs/stable/amp.html
            self._skipped.append(len(self.losses) - 1)

    def is_over(self, recipe: Recipe) -> bool:
        """Whether the training ends here: the loss is not finite, or has fallen by `train.stop_at_drop`."""
        if self._nonfinite_loss_at is not None:
            return True
        if recipe.stop_at_drop is None or len(self._norms) < recipe.min_steps or self.losses[0] <= 0:
            return False
        return drop(self.losses) >= recipe.stop_at_drop

    def _note(self, norms: list[float | None], rates: dict[int, float]) -> None:
        self._norms.append([*map(finite, norms)])
        for key, rate in rates.items():
            self._rates.setdefault(key, []).append(rate)
        for index, norm in enumerate(norms):
            self._nonfinite[index] += not _is_finite(norm)

    def training(self, trainer: Trainer, steps: int, snapshot: Snapshot, frozen: dict[str, int]) -> Training:
        """Return the facts; must be called before the model is restored."""
        nonfinite = self._nonfinite_loss_at is not None
        return Training(
            steps=steps,
            losses=tuple(self.losses),
            nonfinite_loss_at=self._nonfinite_loss_at,
            nonfinite_operation=nonfinite_operation(self._model, trainer) if nonfinite else "",
            gradients=tuple(self._history(index, snapshot, trainer) for index in range(len(self._trainable))),
            drifted=tuple(drifted(self._model, frozen, _fingerprints(self._model), snapshot.buffers)),
            chance_loss=trainer.chance_loss,
            seconds=tuple(self._seconds),
            batch_size=trainer.batch_size,
            skipped=tuple(self._skipped) if trainer.scales else None,
            nonfinite_backward=self._nonfinite_backward,
            suspicions=trainer.suspicions,
            task=trainer.task.name if trainer.task else "",
        )

    def _history(self, index: int, snapshot: Snapshot, trainer: Trainer) -> GradientHistory:
        name, parameter, group = self._trainable[index]
        norms = tuple(row[index] for row in self._norms)
        pulled = any(norms) or self._nonfinite[index] > 0
        before = snapshot.parameters[name]
        moved = pulled and not parameter.equal(before)
        rates = self._rates.get(id(parameter), [])
        return GradientHistory(
            name=name,
            group=group,
            norms=norms,
            nonfinite_steps=self._nonfinite[index],
            moved=moved,
            out_of_reach=not moved
            and any(is_out_of_reach(before, *by, norms) for by in _movers(trainer, parameter, rates)),
        )


def _rates(trainer: Trainer) -> dict[int, float]:
    """Return the learning rate of each parameter that has one, by its identity."""
    groups = [group for optimizer in trainer.optimizers for group in optimizer.param_groups]
    return {id(p): rate for group in groups if (rate := rate_of(group)) is not None for p in group["params"]}


def _movers(
    trainer: Trainer, parameter: nn.Parameter, rates: list[float]
) -> Iterator[tuple[Optimizer, list[float], float]]:
    """Give the optimizer that moves a parameter, with the parameter's rates and what these come to."""
    for optimizer in trainer.optimizers:
        for group in optimizer.param_groups:
            if rates and any(each is parameter for each in group["params"]):
                yield optimizer, rates, goal_of(group)


def _is_finite(norm: float | None) -> bool:
    return norm is None or isfinite(norm)


def _fingerprints(model: nn.Module) -> dict[str, int]:
    """Return a fingerprint of every frozen parameter."""
    return fingerprints({name: p for name, p in model.named_parameters() if not p.requires_grad})
