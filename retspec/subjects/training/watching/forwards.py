"""Seeing the forward passes of a loop, by torch's global module hooks."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from retspec.subjects.training.watching.feeders import Feeders
from retspec.subjects.training.watching.unseen import unseen

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from torch import Tensor, nn

_SAMPLED = 4096
"""Values of a batch that are compared to recognise it."""
_NEAR_TOP = 3
"""Depth to which modules are remembered with what they were given."""
_LEAST_SHARE = 0.3
"""Share of the parameters that such a module has: beside it there may be two averages of it."""


@dataclass
class Called:
    """A module as it was called in the first forward pass with gradients."""

    module: nn.Module
    depth: int
    inputs: Tensor | None
    labels: Tensor | None
    gives_scalar: bool
    gives_loss: bool
    """Whether a scalar to differentiate is in its output."""


@dataclass(frozen=True)
class Entered:
    """A batch as it entered a training forward pass."""

    root: int
    """Identity of the outermost module."""
    steps: int
    """Steps of any optimizer before it."""
    passes: int
    """Passes through some data that had ended before it."""
    seal: bytes
    """What it is recognised by."""


@dataclass(frozen=True)
class _Begun:
    """A forward pass of an outermost module on its way."""

    root: int
    handled: BaseException | None
    """What was handled when it began, as where a training goes on inside `except`."""
    training: frozenset[int] | None = None
    """Of an evaluation, the leaves in train mode."""


@dataclass
class Forwards:
    """The outermost modules that ran, and in which mode."""

    roots: dict[int, nn.Module] = field(default_factory=dict)
    """Outermost modules with parameters that ran with gradients, in the order of their first run."""
    ran: set[int] = field(default_factory=set)
    """Identities of all modules that ran with gradients."""
    called: list[Called] = field(default_factory=list)
    buffers: dict[int, list[tuple[Tensor, Tensor]]] = field(default_factory=dict)
    """The buffers of each root with a copy from before its first run."""
    trainings: Counter[int] = field(default_factory=Counter)
    """Forward passes with gradients that came to their end, by their root."""
    evaluated: dict[int, nn.Module] = field(default_factory=dict)
    """Outermost modules that ran without gradients."""
    evaluations: Counter[int] = field(default_factory=Counter)
    _train_modes: Counter[tuple[int, frozenset[int]]] = field(default_factory=Counter)
    """Evaluations by their root and the identities of its leaves that were in train mode."""
    _eval_leaves: dict[int, dict[int, str]] = field(default_factory=dict)
    """Of each root, names of leaves by identity that were in eval mode in a forward pass that a backward one followed.
    """
    autocast: dict[int, tuple[str, str]] = field(default_factory=dict)
    """Data type and kind of device that the first leaf of each root with weights computes in."""
    entered: list[Entered] = field(default_factory=list)
    """The batches of training forward passes."""
    feeders: Feeders = field(default_factory=Feeders)
    in_backward: bool = False

    def __post_init__(self) -> None:
        self._depth = 0
        self._remembering = True
        self._known: set[int] = set()
        self._root: nn.Module | None = None
        self._begun: _Begun | None = None
        self._pending: list[tuple[int, dict[int, str]]] = []
        self._leaves: dict[int, list[tuple[str, nn.Module]]] = {}

    def enter(self, module: nn.Module) -> None:
        """Note that a module starts."""
        self._depth += 1
        if self._depth == 1 and not self.in_backward:
            self._root = module
            self._begin(module)
        self._note_autocast(module)

    def give_up(self) -> None:
        """Note that a module raised."""
        self._depth = max(self._depth - 1, 0)
        if self._depth == 0:
            self._begun = None

    def leave(self, module: nn.Module, args: Sequence[Any], kwargs: Mapping[str, Any], output: Any) -> None:
        """Note that a module ended; it may have raised."""
        import torch

        self._depth = max(self._depth - 1, 0)
        if self._depth == 0 and self._begun is not None:
            self._end(self._begun, output)
        if not torch.is_grad_enabled() or self.in_backward:
            return
        self.ran.add(id(module))
        if self._remembering and self._depth < _NEAR_TOP and id(module) not in self._known:
            self._known.add(id(module))
            if self._may_be_all(module):
                self.called.append(_called(module, self._depth, args, kwargs, output))

    @property
    def is_outside(self) -> bool:
        """Whether no module is running."""
        return self._depth == 0

    @property
    def is_remembering(self) -> bool:
        """Whether no step was taken so far."""
        return self._remembering

    @unseen
    def note_batch(self, root: nn.Module, tensors: Sequence[Tensor], steps: int, passes: int) -> None:
        """Note the batch that entered a training forward pass of a root."""
        seal = blake2b(digest_size=16)
        for tensor in tensors:
            flat = tensor.detach().reshape(-1)
            stride = max(1, flat.numel() // _SAMPLED)
            seal.update(flat[::stride][:_SAMPLED].float().cpu().numpy().tobytes())
        self.entered.append(Entered(id(root), steps, passes, seal.digest()))

    def backward_followed(self) -> None:
        """Note that the forward passes since the last backward pass were for training."""
        for root, leaves in self._pending:
            self._eval_leaves.setdefault(root, {}).update(leaves)
        self._pending.clear()
        self.feeders.backward_followed()

    def eval_leaves(self, root: int) -> list[str]:
        """Return the names of the leaves of a root that trained in eval mode; those of a copy in it never ran."""
        return sorted(name for leaf, name in self._eval_leaves.get(root, {}).items() if leaf in self.ran)

    def train_mode_evaluations(self, root: int) -> int:
        """Return how many evaluations of a root ran with a leaf in train mode that runs in training, too."""
        return sum(
            n for (key, leaves), n in self._train_modes.items() if key == root and not leaves.isdisjoint(self.ran)
        )

    def step_taken(self) -> None:
        """Stop to remember how modules are called: one step has shown it."""
        self._remembering = False

    def _begin(self, module: nn.Module) -> None:
        import torch

        key = id(module)
        with_gradients = torch.is_grad_enabled()
        if self._has_parameters(module):
            self.feeders.entered(key, in_train_mode=module.training, with_gradients=with_gradients)
        if not with_gradients:
            self.evaluated[key] = module
            training = frozenset(id(leaf) for _, leaf in self._leaves_of(module) if leaf.training)
            self._begun = _Begun(key, sys.exc_info()[1], training)
            return
        if key not in self.roots and self._has_parameters(module):
            self.roots[key] = module
            self.buffers[key] = [(buffer, buffer.detach().clone()) for buffer in module.buffers()]
        self._begun = _Begun(key, sys.exc_info()[1])
        self._pending.append((key, {id(leaf): name for name, leaf in self._leaves_of(module) if not leaf.training}))

    def _end(self, begun: _Begun, output: Any) -> None:
        """Count a forward pass of an outermost module, unless it raised: then it has no output, and is handled now."""
        self._begun = None
        if output is None and sys.exc_info()[1] is not begun.handled:
            return
        if begun.training is None:
            self.trainings[begun.root] += 1
        else:
            self.evaluations[begun.root] += 1
            self._train_modes[begun.root, begun.training] += 1

    @staticmethod
    def _has_parameters(module: nn.Module) -> bool:
        return next(module.parameters(), None) is not None

    def _may_be_all(self, module: nn.Module) -> bool:
        """Whether a module may be the model itself: the outermost one may hold copies of it, too."""
        return self._root is not None and 0 < _LEAST_SHARE * _size(self._root) <= _size(module)

    def _leaves_of(self, module: nn.Module) -> list[tuple[str, nn.Module]]:
        """Return the leaves that compute something else in eval mode; looked for once."""
        if id(module) not in self._leaves:
            leaves = ((name, m) for name, m in module.named_modules() if next(m.children(), None) is None)
            self._leaves[id(module)] = [(name, leaf) for name, leaf in leaves if is_sensitive(leaf)]
        return self._leaves[id(module)]

    def _note_autocast(self, module: nn.Module) -> None:
        """Note the data type at the first leaf with weights that runs below the outermost module."""
        import torch

        root = self._root
        if root is None or id(root) in self.autocast or not torch.is_grad_enabled():
            return
        weights = next(module.parameters(recurse=False), None)
        if weights is None or next(module.children(), None) is not None:
            return
        kind = weights.device.type
        dtype = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else weights.dtype
        self.autocast[id(root)] = str(dtype).removeprefix("torch."), kind


def tensors_in(args: Sequence[Any], kwargs: Mapping[str, Any]) -> Iterator[tuple[str, Tensor]]:
    """Give the tensors among arguments, and in lists and mappings of them, each with its keyword or ''."""
    import torch

    for name, value in [*(("", each) for each in args), *kwargs.items()]:
        if isinstance(value, torch.Tensor):
            yield name, value
        elif isinstance(value, (list, tuple)):
            yield from tensors_in(value, {})
        elif hasattr(value, "items"):
            yield from tensors_in((), dict(value.items()))


def _size(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def is_sensitive(leaf: nn.Module) -> bool:
    """Whether a module without children may compute something else in eval mode than in train mode.

    Of torch.nn's own layers these are dropout, normalization with running statistics, RReLU; a class of the user's may
    do anything with `self.training`: https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.train
    """
    from torch import nn
    from torch.nn.modules.batchnorm import _NormBase
    from torch.nn.modules.dropout import _DropoutNd

    if isinstance(leaf, _NormBase):
        return leaf.track_running_stats
    if isinstance(leaf, _DropoutNd):
        return leaf.p > 0
    if isinstance(leaf, nn.RReLU):
        return True
    if isinstance(getattr(leaf, "drop_prob", None), (int, float)):
        return bool(leaf.drop_prob)
    return not any(
        base.__module__.startswith("torch.nn.modules") and base is not nn.Module for base in type(leaf).__mro__
    )


def _called(module: nn.Module, depth: int, args: Sequence[Any], kwargs: Mapping[str, Any], output: Any) -> Called:
    import torch

    inputs = labels = None
    for name, tensor in tensors_in(args, kwargs):
        if name in {"labels", "targets", "target"}:
            labels = tensor
        elif inputs is None:
            inputs = tensor
    scalar = isinstance(output, torch.Tensor) and output.numel() == 1
    losses = (tensor for _, tensor in tensors_in((output,), {}) if tensor.dim() == 0 and tensor.requires_grad)
    gives_loss = next(losses, None) is not None
    return Called(module, depth, None if inputs is None else inputs.detach().clone(), labels, scalar, gives_loss)
