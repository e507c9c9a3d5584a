"""The measurement `sweep`."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from retspec.facts import BadBatch, Sweep
from retspec.measurements.labels import classes_of
from retspec.plugin import Cost, PositiveInt, measurement
from retspec.records import TaskName

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import torch
    from torch import Tensor

    from retspec.subjects.data.user_loaders import UserLoaders
    from retspec.subjects.models.skeleton import Skeleton


_NUMBERS = frozenset({"regression", "self_supervised", "custom"})
"""Tasks whose targets are no class indices."""


@measurement(cost=Cost.FORWARD)
def sweep(
    loaders: UserLoaders,
    optional_skeleton: Skeleton | None,
    progress: Callable[[int, int], None],
    *,
    task: TaskName | None,
    num_classes: Annotated[
        PositiveInt, Meta(description="By default those of the watched criterion, or the width of the model's output.")
    ]
    | None = None,
    ignore_index: Annotated[int, Meta(description="A target that the loss leaves out, such as -100.")] | None = None,
) -> Sweep:
    """Look at the batches of the user's loaders, as many as `data.sweep` says."""
    read: dict[str, int] = {}
    bad: list[BadBatch] = []
    count_classes = (
        None if task in _NUMBERS else lambda: num_classes or loaders.classes or classes_of(optional_skeleton)
    )
    inspector = _Inspector(count_classes, ignore_index)
    total = loaders.sweep * len(loaders.every)
    for loader in loaders.every:
        read[loader.name] = 0
        for index, (inputs, targets) in enumerate(islice(loader.epoch(), loaders.sweep)):
            progress(sum(read.values()), total)
            read[loader.name] += 1
            faults = tuple(inspector.faults(inputs, targets))
            if faults:
                bad.append(BadBatch(loader.name, index, faults))
    return Sweep(read, {loader.name: loader.batches for loader in loaders.every}, inspector.classes, tuple(bad))


class _Inspector:
    """Finds what is wrong with a batch; asks for the number of classes once targets are class indices.

    count_classes: None where targets are never class indices, whatever their type.
    """

    def __init__(self, count_classes: Callable[[], int] | None, ignore_index: int | None) -> None:
        self._count_classes = count_classes
        self._ignored = ignore_index
        self.classes: int | None = None
        self._dtypes: tuple[torch.dtype, torch.dtype] | None = None

    def faults(self, inputs: Tensor, targets: Tensor) -> Iterator[str]:
        yield from _not_finite("inputs", inputs)
        yield from self._changed(inputs, targets)
        if targets.is_floating_point():
            yield from _not_finite("targets", targets)
        elif self._count_classes is not None:
            yield from self._indices(targets, self._count_classes)

    def _changed(self, inputs: Tensor, targets: Tensor) -> Iterator[str]:
        self._dtypes = self._dtypes or (inputs.dtype, targets.dtype)
        for name, tensor, first in zip(("inputs", "targets"), (inputs, targets), self._dtypes, strict=True):
            if tensor.dtype != first:
                yield f"{name} are {_name(tensor.dtype)}, those of the first batch {_name(first)}"

    def _indices(self, targets: Tensor, count_classes: Callable[[], int]) -> Iterator[str]:
        import torch

        if targets.dtype not in {torch.int64, torch.uint8}:
            yield f"targets are {_name(targets.dtype)}, and class indices are int64"
        self.classes = self.classes or count_classes()
        outside = (targets < 0) | (targets >= self.classes)
        if self._ignored is not None:
            outside &= targets != self._ignored
        if targets.dtype != torch.bool and bool(outside.any()):
            values = ", ".join(map(str, sorted(set(targets[outside].tolist()))[:5]))
            yield f"targets {values} are not in 0..{self.classes - 1}"


def _not_finite(name: str, tensor: Tensor) -> Iterator[str]:
    if not tensor.is_floating_point():
        return
    wrong = ~tensor.isfinite()
    if bool(wrong.any()):
        samples = wrong.flatten(1).any(1) if tensor.dim() > 1 else wrong
        rows = samples.nonzero().flatten().tolist()
        yield f"{name} of {len(rows)} samples are NaN or infinite, the first at {rows[0]}"


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
