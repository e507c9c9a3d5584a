"""The facts of a watched training as lines: a name, and what is to be said of it."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from retspec.text.wording import duration, readable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from retspec.facts import ItemReads, Parameters, Training
    from retspec.facts.loop import Loop, WatchedBatch, WatchedGroup, WatchedOptimizer, WatchedStep

Line = tuple[str, str]
_PERCENT = 100


@dataclass(frozen=True)
class Seen:
    """What was measured of a training."""

    loop: Loop
    parameters: Parameters | None = None
    training: Training | None = None
    reads: ItemReads | None = None
    """Items of the loader that trained, read several times."""

    @property
    def sizes(self) -> dict[str, int]:
        """Elements of each parameter by its name."""
        return {each.name: each.count for each in self.parameters.parameters} if self.parameters else {}


def lines(seen: Seen) -> Iterator[Line]:
    """Yield the facts of a training that took steps, in the order in which one looks at them."""
    loop = seen.loop
    for optimizer in loop.optimizers:
        yield from _optimizer(optimizer, seen.sizes)
    yield "accumulation", _accumulation(loop.main_steps) + _unused(loop)
    yield "precision", _precision(loop)
    if seen.parameters is not None:
        yield "trains", _trains(seen.parameters, loop.model)
    yield "batch", _batch(loop.batch) if loop.batch else "no tensor entered the model"
    yield "data", f"{loop.batches} batches, {loop.distinct} of them distinct{_repeated(loop)}"
    yield "criterion", _criterion(loop)
    yield "schedule", _schedule(loop)
    if seen.training is not None and seen.training.losses:
        losses = seen.training.losses
        yield "loss", f"{readable(losses[0])} → {readable(losses[-1])}"
    yield "gradients", _gradients(loop.main_steps)
    yield "time", _time(loop.main_steps)
    yield "evaluations", _evaluations(loop)


def _optimizer(optimizer: WatchedOptimizer, sizes: dict[str, int]) -> Iterator[Line]:
    groups = optimizer.groups
    yield "optimizer", f"{optimizer.kind}, {len(groups)} group{'s' * (len(groups) > 1)}"
    for group in groups:
        yield "", _group(group, sizes)


def _group(group: WatchedGroup, sizes: dict[str, int]) -> str:
    known = [sizes[name] for name in group.parameters if name in sizes]
    elements = f" ({sum(known):,} elements)" if len(known) == len(group.parameters) else ""
    lr = f"lr {_rate(group.rates[0])} → {_rate(group.rates[-1])}" if group.rates else "lr of its own"
    return f"{len(group.parameters):,} parameters{elements}, {lr}, weight decay {_rate(group.weight_decay)}"


def _rate(rate: float) -> str:
    return f"{rate:.3g}"


def _precision(loop: Loop) -> str:
    device = f" on {loop.device}" if loop.device else ""
    return f"{loop.autocast_dtype or 'unknown'}{device}, {'a' if loop.scaler else 'no'} loss scaler"


def _accumulation(steps: Sequence[WatchedStep]) -> str:
    counts = sorted({step.backwards for step in steps})
    passes = f"{_range(counts)} backward pass{'es' * (counts != [1])} per step"
    weights = [step.weight for step in steps if step.weight is not None]
    return f"{passes}, loss weight {readable(median(weights))}" if weights else passes


def _unused(loop: Loop) -> str:
    return f"; {loop.backwards_without_step} of {loop.backwards} without a step" if loop.backwards_without_step else ""


def _range(counts: Sequence[int]) -> str:
    return str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"


def _trains(parameters: Parameters, model: str) -> str:
    share = _PERCENT * parameters.trainable_total / max(parameters.total, 1)
    groups = parameters.breakdown()
    parts = ((("backbone" if name == "other" else name), groups[name]) for name in ("adapter", "head", "other"))
    split = ", ".join(f"{name} {count:,}" for name, count in parts if count)
    whole = f"{parameters.trainable_total:,} of {parameters.total:,} elements ({share:.3g} %) of {model}"
    return f"{whole}: {split}" if split else whole


def _batch(batch: WatchedBatch) -> str:
    shape = " x ".join(map(str, batch.shape))
    if not batch.means:
        return f"{shape}, {batch.dtype}"
    means, deviations = (", ".join(f"{value:.3g}" for value in values) for values in (batch.means, batch.deviations))
    return f"{shape}, {batch.dtype}; per channel mean {means}, deviation {deviations}"


def _repeated(loop: Loop) -> str:
    return f", {loop.repeated} repeated within a pass" if loop.repeated else ""


def _criterion(loop: Loop) -> str:
    criterion = loop.criterion
    if criterion is None:
        return "none that is known"
    classes = f", {criterion.classes} classes" if criterion.classes else ""
    enters = f"; {criterion.input_kind} enter" if criterion.input_kind else ""
    return f"{criterion.name} ({criterion.reduction}){classes}{enters}"


def _schedule(loop: Loop) -> str:
    if not loop.schedulers:
        groups = loop.optimizers[loop.main].groups
        moved = any(len(set(group.rates)) > 1 for group in groups)
        return "no scheduler of torch; the rates change" if moved else "none, the rates stay"
    return "; ".join(
        f"{each.kind}, {each.steps} step{'s' * (each.steps != 1)} after the first optimizer step"
        for each in loop.schedulers
    )


def _gradients(steps: Sequence[WatchedStep]) -> str:
    after = [step.norm_after_backward for step in steps if step.norm_after_backward is not None]
    applied = [step.norm for step in steps if step.norm is not None]
    if not applied:
        return "none that is finite"
    before = f"norm {readable(median(after))} after backward, " if after else "norm "
    return f"{before}{readable(median(applied))} at the step (medians)"


def _time(steps: Sequence[WatchedStep]) -> str:
    whole, waited = sum(step.seconds for step in steps), sum(step.waited for step in steps)
    share = f"{_PERCENT * waited / whole:.0f} % of it waiting for data" if whole else "no time at all"
    return f"{duration(median(step.seconds for step in steps))} per step, {share}"


def _evaluations(loop: Loop) -> str:
    if not loop.evaluations:
        return "none within these steps"
    wrong = f", {loop.train_mode_evaluations} of them in train mode" if loop.train_mode_evaluations else ""
    passes = f"{loop.evaluations} forward pass{'es' * (loop.evaluations != 1)}"
    return f"{passes} without gradients{wrong}"
