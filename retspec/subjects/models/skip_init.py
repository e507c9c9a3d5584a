"""Skip the random initialisation that a checkpoint overwrites: for a ViT-L it takes as long as a training step.

The constructor runs unchanged. Random draws into a large tensor are skipped, and so are in-place changes of it, until
something overwrites the whole tensor. If anything reads such a tensor before, or one remains at the end, the build is
discarded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from retspec.subjects.memory.dispatching import dispatching

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor, UntypedStorage
    from torch.utils._python_dispatch import TorchDispatchMode

Built = TypeVar("Built")

LARGE = 1 << 16
"""Smallest number of elements to skip; layers that a checkpoint often lacks, such as a head, are smaller."""
_DRAWS = frozenset({"uniform_", "normal_"})
_CHANGES = frozenset({"add_", "clamp_", "clamp_max_", "clamp_min_", "div_", "erfinv_", "mul_", "neg_", "sub_"})
_OVERWRITES = frozenset({"copy_", "fill_", "zero_"})


class _Needed(BaseException):
    """A skipped value is needed; not an Exception, so that no `except Exception` catches it."""


def without_draws(build: Callable[[], Built]) -> Built | None:
    """Return the result of a function that builds a model on the CPU and fills it; None when it needs a skipped value.

    From the same seed, smaller tensors get other random numbers than without skipping.
    """
    numbers = _Numbers()
    try:
        with numbers.sparing():
            built = build()
    except _Needed:
        return None
    return built if numbers.are_complete else None


class _Numbers:
    """Tracks which tensors have no values yet."""

    def __init__(self) -> None:
        self._missing: dict[int, UntypedStorage] = {}
        """Their storages by address; kept alive, so that no other tensor gets the address."""
        self._were_needed = False

    @property
    def are_complete(self) -> bool:
        """Whether every tensor has its values, and none was read before."""
        return not self._missing and not self._were_needed

    def sparing(self) -> TorchDispatchMode:
        """Return a context that skips random draws and in-place changes that are overwritten later."""
        return dispatching(
            lambda operation, args, kwargs: (
                args[0] if self.spare(operation, args, kwargs) else operation(*args, **kwargs)
            )
        )

    def spare(self, operation: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
        """Whether to skip an operation: one that only changes its first argument in place."""
        name = operation.overloadpacket.__name__
        if name in _DRAWS and _is_worth_it(args[0]):
            storage = args[0].untyped_storage()
            self._missing[storage.data_ptr()] = storage
            return True
        if not self._missing or operation.is_view or not self._lack((args, kwargs)):
            return False
        if name not in _CHANGES | _OVERWRITES or self._lack((args[1:], kwargs)):
            self._give_up()
        if name in _CHANGES:
            return True
        if not _is_whole(args[0]):
            self._give_up()
        del self._missing[args[0].untyped_storage().data_ptr()]
        return False

    def _lack(self, values: Any) -> bool:
        """Whether any tensor among some values has no values yet."""
        import torch
        from torch.utils._pytree import tree_leaves

        tensors = (leaf for leaf in tree_leaves(values) if isinstance(leaf, torch.Tensor))
        return any(t.layout is torch.strided and t.untyped_storage().data_ptr() in self._missing for t in tensors)

    def _give_up(self) -> None:
        self._were_needed = True  # even if the exception is caught
        raise _Needed


def _is_worth_it(tensor: Tensor) -> bool:
    return tensor.device.type == "cpu" and tensor.numel() >= LARGE and _is_whole(tensor)


def _is_whole(tensor: Tensor) -> bool:
    """Whether a tensor covers its whole storage."""
    return tensor.numel() * tensor.element_size() == tensor.untyped_storage().nbytes()
