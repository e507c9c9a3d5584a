"""The watch of one rank: notes, beyond what every watch does, its samples and its first gradients."""

from __future__ import annotations

from collections import defaultdict
from contextlib import contextmanager
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from retspec.subjects.training.watching.forwards import tensors_in
from retspec.subjects.training.watching.ranks.clips import clips_seen
from retspec.subjects.training.watching.ranks.draws import Draws
from retspec.subjects.training.watching.ranks.first_step import FirstStep
from retspec.subjects.training.watching.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from torch import Tensor, nn
    from torch.optim import Optimizer

    from retspec.subjects.training.watching.launching import Launch

_SAMPLED = 4096
"""Values of a sample that are compared to recognise it."""


class RankWatch(Watch):
    """Notes what has to be compared with other ranks."""

    def __init__(self, launch: Launch, steps: int, progress: Callable[[int, int], None]) -> None:
        super().__init__(launch, steps, progress)
        self.first = FirstStep()
        self.draws = Draws()
        self.samples: dict[int, list[str]] = defaultdict(list)
        """What recognises the samples that entered, by the number of steps before."""

    @contextmanager
    def _attached(self) -> Iterator[None]:
        with super()._attached(), self.draws.seen(), clips_seen(self._before_clip):
            yield

    def _after_forward(self, module: nn.Module, args: Sequence[Any], *rest: Any) -> None:
        super()._after_forward(module, args, *rest)
        if len(rest) == 2 and self._is_first and any(each.module is module for each in self.forwards.called):  # noqa: PLR2004 - keyword arguments and output
            import torch

            if torch.is_grad_enabled() and not self.forwards.in_backward:
                self.first.note_call(module, args, rest[0])

    def _note_batch(self, module: nn.Module, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        known = len(self.forwards.entered)
        super()._note_batch(module, args, kwargs)
        if len(self.forwards.entered) > known:
            self.draws.trained()
            self.samples[len(self.applied)] += _samples([tensor for _, tensor in tensors_in(args, kwargs)])

    def _backward(self, loss: Tensor | None, go_on: Callable[[], Any]) -> Any:
        try:
            return super()._backward(loss, go_on)
        finally:
            if self._is_first:
                self.first.note_backward(self)

    def _before_clip(self) -> None:
        if self._is_first:
            self.first.note_clip(self)

    def _before_step(self, optimizer: Optimizer, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        super()._before_step(optimizer, args, kwargs)
        if self._is_first:
            self.first.note_step(self)

    @property
    def _is_first(self) -> bool:
        """Whether no step was taken so far, in this very process."""
        return self.forwards.is_remembering and not (self._is_elsewhere or self._ended)


def _samples(tensors: Sequence[Tensor]) -> list[str]:
    """Return what recognises each sample of a batch, over all tensors that have one row for each.

    A sample whose values are all the same, such as a blank image, is left out: it is no evidence.
    """
    rows = [tensor for tensor in tensors if tensor.dim() and len(tensor) == len(tensors[0])]
    return [seal for index in range(len(rows[0]) if rows else 0) if (seal := _seal([each[index] for each in rows]))]


def _seal(parts: Sequence[Tensor]) -> str:
    seal = blake2b(digest_size=12)
    varied = False
    for part in parts:
        flat = part.detach().reshape(-1)
        chosen = flat[:: max(1, flat.numel() // _SAMPLED)].double().cpu()
        varied = varied or (chosen.numel() > 1 and bool((chosen != chosen[0]).any()))
        seal.update(chosen.numpy().tobytes())
    return seal.hexdigest() if varied else ""
