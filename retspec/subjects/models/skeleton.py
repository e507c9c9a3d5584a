"""The model without its weights, and what a forward pass of it shows."""

from __future__ import annotations

import copy
from functools import cached_property
from typing import TYPE_CHECKING

from retspec.errors import NoVerdict, describe
from retspec.subjects.models.tracing import trace

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch
    from torch import Tensor, nn

    from retspec.facts import Geometry


def hollow(model: nn.Module, empty: Callable[[Tensor], Tensor]) -> nn.Module:
    """Return a copy of a model in which every parameter and buffer is what `empty` makes of it; no data is copied."""
    from torch import nn

    memo: dict[int, object] = {}
    for parameter in model.parameters():
        memo[id(parameter)] = nn.Parameter(empty(parameter), requires_grad=parameter.requires_grad)
    for buffer in model.buffers():
        memo[id(buffer)] = empty(buffer)
    return copy.deepcopy(model, memo)


def on_meta(tensor: Tensor) -> Tensor:
    """Return an empty tensor of the same shape and dtype on the meta device."""
    import torch

    return torch.empty(tensor.shape, dtype=tensor.dtype, device="meta")


class Skeleton:
    """The model on the meta device: it has names, shapes and dtypes, but no numbers."""

    def __init__(self, module: nn.Module, real: Callable[[], nn.Module], *, from_file: bool = False) -> None:
        self.module = module
        self.from_file = from_file
        """Whether the real model is filled from a checkpoint."""
        self._real = real
        self._traced: dict[tuple[int, ...], Geometry] = {}

    @cached_property
    def dtype(self) -> torch.dtype:
        """The dtype of the model's first floating-point parameter, which its inputs have to have."""
        import torch

        return next((p.dtype for p in self.module.parameters() if p.is_floating_point()), torch.float32)

    def copy(self) -> nn.Module:
        """Return a copy to change at will."""
        return hollow(self.module, on_meta)

    def trace(self, shape: tuple[int, ...]) -> Geometry:
        """Return what a forward pass of inputs of this shape shows, seen once per shape.

        A model that looks at its values cannot run on fake tensors; the real one then makes one pass more.

        Raises NoVerdict when that fails too.
        """
        if shape not in self._traced:
            try:
                self._traced[shape] = self._trace(shape)
            except NoVerdict:
                raise
            except Exception:  # noqa: BLE001 - fake tensors fail in many ways, and the real pass reports each
                self._traced[shape] = self._trace_real(shape)
        return self._traced[shape]

    def _trace(self, shape: tuple[int, ...]) -> Geometry:
        import torch
        from torch._subclasses.fake_tensor import FakeTensorMode

        # Fake tensors say that they lie on the CPU: unlike meta tensors they get along with what a model makes itself.
        with FakeTensorMode(allow_non_fake_inputs=True):
            model = hollow(self.module, lambda tensor: torch.empty(tensor.shape, dtype=tensor.dtype, device="cpu"))
            return trace(model.eval(), torch.empty(shape, dtype=self.dtype))

    def _trace_real(self, shape: tuple[int, ...]) -> Geometry:
        import torch

        model = self._real()
        device = next((parameter.device for parameter in model.parameters()), torch.device("cpu"))
        modes = [(module, module.training) for module in model.modules()]
        try:
            return trace(model.eval(), torch.randn(shape, dtype=self.dtype, device=device))
        except NoVerdict:
            raise
        except Exception as error:
            raise NoVerdict(
                f"a forward pass of inputs of shape {shape} fails: {describe(error)}; check the input size"
            ) from error
        finally:
            for module, mode in modes:
                module.training = mode
