"""The gradients of one process that is fed what all ranks were fed."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from retspec.errors import Inconclusive, NoVerdict, describe
from retspec.facts.distributed import GradientsOfRanks
from retspec.subjects.devices import autocast
from retspec.subjects.models.outputs import logits_of
from retspec.subjects.seeds import generator_states
from retspec.subjects.training.watching.forwards import tensors_in
from retspec.subjects.training.watching.ranks.deviations import deviations_of
from retspec.subjects.training.watching.ranks.joining import joined
from retspec.subjects.training.watching.ranks.sharding import is_sharded

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import torch
    from torch import Tensor, nn

    from retspec.facts.loop import Loop
    from retspec.subjects.training.watching.trainee import Trainee
    from retspec.subjects.training.watching.watch import Watch

Record = dict[str, Any]
"""What `FirstStep.record` returns."""
_SAME = 1e-4
_SAME_UNDER_AUTOCAST = 2e-2
"""Relative difference up to which a loss that is computed again is the one that was seen."""
_SHOWN = 20


def compare(watch: Watch, loop: Loop, records: Sequence[Record]) -> GradientsOfRanks:
    """Compare the gradients of all ranks with those of this process, and say why where that cannot be done.

    records: of each rank; the first is this process's own.
    """
    samples = tuple(sum(_length(call) for call in each["calls"]) for each in records)
    micro_batches = max(len(each["calls"]) for each in records)
    try:
        reference = _Reference(watch, loop).gradients(records)
        deviations = list(deviations_of(reference, records))
    except NoVerdict as error:
        return GradientsOfRanks((), 0, samples, micro_batches, unknown=str(error))
    except Exception as error:  # noqa: BLE001 - the user's module is called in another way than its training does
        unknown = f"its batches could not be computed again in one process: {describe(error)}"
        return GradientsOfRanks((), 0, samples, micro_batches, unknown=unknown)
    deviations.sort(key=lambda each: -each.relative)
    return GradientsOfRanks(tuple(deviations[:_SHOWN]), len(reference), samples, micro_batches)


class _Reference:
    """Computes the loss of a batch as the training did, on its module as it was before the first step.

    Raises Inconclusive where this is not known to be the training's loss: it is computed of what this rank was fed,
    too, and held against the loss that was seen; and no random number may be drawn.
    """

    def __init__(self, watch: Watch, loop: Loop) -> None:
        if watch.trainee is None:
            raise Inconclusive("no module that trains was seen")
        if is_sharded(watch.forwards.roots.values()):
            raise Inconclusive("FSDP shards the parameters, so that no rank can compute the loss by itself")
        if len(loop.optimizers) > 1:
            raise Inconclusive(f"{len(loop.optimizers)} optimizers take steps, each for a loss of its own")
        self._trainee: Trainee = watch.trainee
        self._criterion = watch.criteria.call
        weights = {str(p.dtype).removeprefix("torch.") for p in self._module.parameters()}
        dtype = loop.autocast_dtype
        self._amp: Any = dtype if dtype in {"bfloat16", "float16"} and dtype not in weights else "none"
        self._tolerance = _SAME if weights == {"float32"} and self._amp == "none" else _SAME_UNDER_AUTOCAST

    @property
    def _module(self) -> nn.Module:
        return self._trainee.module

    @property
    def _device(self) -> torch.device:
        return next(self._module.parameters()).device

    def gradients(self, records: Sequence[Record]) -> dict[str, Tensor]:
        """Return the gradient of each parameter over all micro-batches, weighed as the training weighs its loss."""
        import torch

        steps = [_MicroBatch.all_of(each) for each in records]
        if len({len(step) for step in steps}) > 1 or not steps[0]:
            raise Inconclusive(f"the first step has {' and '.join(str(len(step)) for step in steps)} micro-batches")
        named = {name: p for name, p in self._module.named_parameters() if p.requires_grad}
        sums: dict[str, Tensor] = {}
        self._trainee.give_back()
        with _without_draws():
            for parts in zip(*steps, strict=True):
                own = self._own_loss(parts[0])
                whole = self._loss(joined([each.call for each in parts]), joined([each.targets for each in parts]))
                self._require_the_same(own, float(whole.detach()), parts)
                found: Sequence[Tensor | None]
                found = torch.autograd.grad(whole, list(named.values()), allow_unused=True)
                share = sum(each.weight for each in parts) / len(parts)
                if self._adds_up(float(whole.detach()), parts):
                    share /= len(parts)
                for name, gradient in zip(named, found, strict=True):
                    if gradient is not None:
                        sums[name] = sums.get(name, 0) + share * gradient
        return sums

    def _own_loss(self, part: _MicroBatch) -> float:
        """Return the loss of this rank's micro-batch, computed again; buffers are as before."""
        import torch

        with torch.no_grad():
            loss = float(self._loss(part.call, part.targets))
        self._trainee.give_back()
        return loss

    def _loss(self, call: Any, targets: Any) -> Tensor:
        """Return the mean loss of a batch: the one that the module returns, or its criterion's."""
        args, kwargs = call
        with autocast(self._device, self._amp):
            output = self._module(*args, **kwargs)
            returned = [each for _, each in tensors_in((output,), {}) if each.dim() == 0]
            if returned:
                return returned[0]
            if self._criterion is None:
                raise Inconclusive("no single criterion of logits and targets was seen, so that nobody knows the loss")
            if targets is None:
                raise Inconclusive("the criterion was called more or less often than the module")
            return self._criterion(logits_of(output), targets)

    def _require_the_same(self, own: float, whole: float, parts: Sequence[_MicroBatch]) -> None:
        """Raise Inconclusive unless the loss is the training's: on this rank's micro-batch, or over all of them.

        The latter where the ranks compute something in common, such as the statistics of SyncBatchNorm.
        """
        mean = sum(each.samples * each.mean for each in parts) / sum(each.samples for each in parts)
        if not (self._is_same(own, parts[0].mean) or self._is_same(whole, mean)):
            raise Inconclusive(
                f"the loss of a batch was {parts[0].mean:.4g}, and is {own:.4g} when it is computed again: there is "
                "more to it than the module and one criterion"
            )

    def _adds_up(self, whole: float, parts: Sequence[_MicroBatch]) -> bool:
        """Return whether the loss of all batches is the sum of theirs, and no mean.

        So it is where a model divides by a number that it is given, such as the labels of all ranks; a Trainer then
        multiplies by the number of ranks, over which DistributedDataParallel takes the mean:
        https://github.com/huggingface/transformers/blob/main/src/transformers/trainer.py
        No other factor looks different, so such a loss is compared up to the number of ranks.
        """
        return self._is_same(whole, sum(each.mean for each in parts))

    def _is_same(self, one: float, other: float) -> bool:
        return abs(one - other) <= self._tolerance * max(abs(other), 1e-6)


@dataclass(frozen=True)
class _MicroBatch:
    """What one backward pass of a rank was fed."""

    call: Any
    targets: Tensor | None
    mean: float
    """The mean criterion, as it was seen."""
    weight: float
    """Its factor in the loss, without the loss scale."""

    @staticmethod
    def all_of(record: Record) -> list[_MicroBatch]:
        """Return those of a step; raises Inconclusive when these cannot be matched, or a weight is not known."""
        calls, losses, weights = record["calls"], record["losses"], record["weights"]
        if not calls:
            raise Inconclusive("the module that trains was called without a tensor")
        if len(calls) != len(losses):
            raise Inconclusive(f"the first step has {len(calls)} forward passes and {len(losses)} backward passes")
        if None in losses or not all(weights):
            raise Inconclusive("the weight of the criterion in the loss could not be read; see `loss_weight_rtol`")
        targets = record["targets"] if len(record["targets"]) == len(calls) else [None] * len(calls)
        return [
            _MicroBatch(call, target, loss / weight, weight / record["scale"])
            for call, target, loss, weight in zip(calls, targets, losses, weights, strict=True)
        ]

    @property
    def samples(self) -> int:
        """Samples of it."""
        return _length(self.call)


def _length(call: Any) -> int:
    args, kwargs = call
    tensors = [tensor for _, tensor in tensors_in(args, kwargs) if tensor.dim()]
    return len(tensors[0]) if tensors else 0


@contextmanager
def _without_draws() -> Iterator[None]:
    """Raise Inconclusive at the end if a random number was drawn: the next one would have been another."""
    before = generator_states()
    try:
        yield
    finally:
        if generator_states() != before:
            raise Inconclusive(
                "the forward pass draws random numbers, as dropout does, so that no two are the same; set its "
                "probability to 0 for this"
            )
