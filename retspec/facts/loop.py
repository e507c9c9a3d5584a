"""Facts about a training loop of the user's own, watched while it ran."""

from __future__ import annotations

from math import prod

from msgspec import Struct

from retspec.errors import NoVerdict


class WatchedGroup(Struct, frozen=True):
    """A parameter group of an optimizer."""

    parameters: tuple[str, ...]
    """Names in the model; a parameter of no module that ran is named by its shape."""
    weight_decay: float
    """Decay per unit of the learning rate; 0 where the optimizer has none."""
    rates: tuple[float, ...]
    """Learning rate at each step of its optimizer; empty for one that sets its rate itself."""


class WatchedOptimizer(Struct, frozen=True):
    """An optimizer that took at least one step."""

    kind: str
    """Name of its class."""
    size: int
    """Elements of all its parameters."""
    groups: tuple[WatchedGroup, ...]


class WatchedStep(Struct, frozen=True):
    """One step of one optimizer."""

    optimizer: int
    """Index of the optimizer."""
    backwards: int
    """Backward passes that reached its parameters since their gradients were last zero or None."""
    fed: bool
    """Whether there was a gradient that had changed since the step before, and that nothing had zeroed again."""
    stale: int
    """Parameters whose gradient still held that of the step before."""
    losses: tuple[float, ...]
    """What each of these backward passes started from, divided by the loss scale."""
    weights: tuple[float | None, ...]
    """Factor of the mean criterion in each of them, divided by the loss scale; None where it could not be read."""
    norm_after_backward: float | None
    """Euclidean norm of all gradients after the last backward pass, divided by the loss scale; None without one."""
    norm: float | None
    """The same at the step, as the optimizer applied it."""
    seconds: float
    """Seconds since the end of the step before; of the first, since the first forward pass."""
    waited: float
    """Of these, seconds in which the loop waited for the next batch of a DataLoader."""

    @property
    def weight(self) -> float | None:
        """The sum of the weights; None when one is not known."""
        return None if not self.weights or None in self.weights else sum(w for w in self.weights if w is not None)


class WatchedScheduler(Struct, frozen=True):
    """A learning rate scheduler of an optimizer that took steps."""

    kind: str
    optimizer: int
    steps: int
    """Its steps between the first and the last watched step of the optimizer."""


class WatchedCriterion(Struct, frozen=True):
    """The function that made the loss of a batch."""

    name: str
    reduction: str
    """mean, sum or none."""
    input_kind: str
    """What entered it: logits, probabilities, log-probabilities or no negative values."""
    classes: int | None
    """Classes that it chose from; None when it is not a cross-entropy."""


class WatchedBatch(Struct, frozen=True):
    """The first batch that entered the model in a training forward pass."""

    shape: tuple[int, ...]
    """(images, channels, height, width), or whatever the model takes."""
    dtype: str
    means: tuple[float, ...]
    """Mean of each channel, in the units of the model's input; empty for an input that is not an image."""
    deviations: tuple[float, ...]
    """Standard deviation of each channel."""


class Loop(Struct, frozen=True):
    """What the watched training showed, until it had taken its steps or ended by itself."""

    command: str
    """How it was started."""
    requested: int
    """Optimizer steps to watch."""
    ending: str
    """How it ended, as the end of a sentence; empty when all steps were watched."""
    model: str
    """Class of the module that trains."""
    optimizers: tuple[WatchedOptimizer, ...]
    steps: tuple[WatchedStep, ...]
    """In the order in which they were taken."""
    schedulers: tuple[WatchedScheduler, ...]
    unowned: tuple[str, ...]
    """Parameters that require a gradient and ran, and that no optimizer has."""
    foreign: tuple[str, ...]
    """Parameters of an optimizer that belong to no module that ran, and never had a gradient."""
    vectors: tuple[str, ...]
    """Biases and other parameters of one dimension that the optimizers train."""
    scales: tuple[str, ...]
    """Of these, the weights of normalization layers."""
    forwards: int
    """Forward passes of the model with gradients."""
    eval_leaves: tuple[str, ...]
    """Leaf modules that were in eval mode in a forward pass that a backward pass followed."""
    evaluations: int
    """Forward passes without gradients, of the model or of a module around it or in it."""
    train_mode_evaluations: int
    """Of these, with a module in train mode that behaves differently there."""
    criterion: WatchedCriterion | None
    autocast_dtype: str
    """Data type that the first leaf with weights computes in."""
    batch: WatchedBatch | None
    batches: int
    """Batches that entered the model in a training forward pass."""
    distinct: int
    """How many of these differ from each other."""
    repeated: int
    """As many as had entered in an earlier step, with no pass through the data having ended between."""
    from_loader: bool
    """Whether a DataLoader gave batches."""
    scaler: bool = False
    """Whether a loss scaler was at work."""
    backwards: int = 0
    """Backward passes, of whatever module."""
    backwards_without_step: int = 0
    """Those of them whose finite gradients were zeroed before a step of an optimizer used them."""
    one_batch: bool = False
    """Whether every DataLoader was made to give its first batch again and again."""
    workers: int = 0
    """Worker processes of the DataLoader that gave the last batch."""
    device: str = ""
    """Kind of the device that the first leaf with weights computes on."""
    averages: tuple[str, ...] = ()
    """Classes of the averages of the weights that lived before the first step, as far as they are known."""
    still_averages: tuple[str, ...] = ()
    """Those of them whose weights are what they were before it."""

    @property
    def main(self) -> int:
        """Index of the optimizer with the most elements; raises NoVerdict when no step was taken."""
        if not self.optimizers:
            raise NoVerdict(f"{self.command} took no optimizer step: {self.ending or 'the reason is not known'}")
        sizes = [optimizer.size for optimizer in self.optimizers]
        return sizes.index(max(sizes))

    @property
    def main_steps(self) -> tuple[WatchedStep, ...]:
        """The steps of that optimizer; raises NoVerdict when there is none."""
        main = self.main
        return tuple(step for step in self.steps if step.optimizer == main)

    @property
    def fed_steps(self) -> tuple[WatchedStep, ...]:
        """Those of them that had a gradient; raises NoVerdict when none had one."""
        fed = tuple(step for step in self.main_steps if step.fed)
        if not fed:
            cause = "foreign_params" if self.foreign else "steps_without_backward"
            raise NoVerdict(f"no step of {self.optimizers[self.main].kind} had a gradient; see `{cause}`")
        return fed

    @property
    def extent(self) -> dict[str, object]:
        """Their number as details, and why there were no more; raises NoVerdict when there is none."""
        early = {"requested": self.requested, "ended": self.ending} if self.ending else {}
        return {"steps": len(self.main_steps), **early}

    @property
    def batch_size(self) -> int:
        """Images of the first batch."""
        return self.batch.shape[0] if self.batch else 0


def is_image(shape: tuple[int, ...]) -> bool:
    """Whether a shape is (images, channels, height, width) of more than nothing."""
    return len(shape) == 4 and prod(shape) > 0  # noqa: PLR2004 - the dimensions just named
