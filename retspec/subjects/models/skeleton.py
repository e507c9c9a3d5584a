"""`Skeleton`: the model on the meta device, and the shapes in its forward pass."""

from __future__ import annotations

import copy
import re
from functools import cached_property
from typing import TYPE_CHECKING

from retspec.errors import NoVerdict, describe
from retspec.subjects.models.forward_arguments import about_signature
from retspec.subjects.models.tracing import trace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import torch
    from torch import Tensor, nn

    from retspec.facts import Geometry


def hollow(model: nn.Module, empty: Callable[[Tensor], Tensor]) -> nn.Module:
    """Return a copy of a model in which `empty` replaces every tensor that it holds; no data is copied.

    Tensors in attributes, too: one that a graph made, as the old `weight_norm` keeps the weight that it computes, torch
    does not copy (https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.weight_norm.html); and no other that is
    neither parameter nor buffer can be copied among fake tensors.
    """
    from torch import nn

    parameters = [*model.parameters()]  # last: an attention that peft adapts registers its weights again at every look
    memo: dict[int, object] = {id(tensor): empty(tensor) for tensor in (*model.buffers(), *_in_attributes(model))}
    for parameter in parameters:
        memo[id(parameter)] = nn.Parameter(empty(parameter), requires_grad=parameter.requires_grad)
    return copy.deepcopy(model, memo)


def _in_attributes(model: nn.Module) -> Iterator[Tensor]:
    """Yield the tensors in attributes of modules, also in lists and mappings there, that are no parameters."""
    from torch import Tensor, nn
    from torch.utils._pytree import tree_leaves

    for module in model.modules():
        leaves = tree_leaves(vars(module))
        yield from (leaf for leaf in leaves if isinstance(leaf, Tensor) and not isinstance(leaf, nn.Parameter))


def on_meta(tensor: Tensor) -> Tensor:
    """Return an empty tensor of the same shape and dtype on the meta device."""
    import torch

    return torch.empty(tensor.shape, dtype=tensor.dtype, device="meta")


class Skeleton:
    """The model on the meta device: names, shapes and dtypes, but no data.

    See https://docs.pytorch.org/docs/stable/meta.html
    """

    def __init__(self, module: nn.Module, real: Callable[[], nn.Module], *, from_file: bool = False) -> None:
        self.module = module
        self.from_file = from_file
        """Whether the weights of the real model come from a checkpoint."""
        self._real = real
        self._traced: dict[tuple[int, ...], Geometry] = {}

    @cached_property
    def dtype(self) -> torch.dtype:
        """Dtype of the first floating-point parameter, which the inputs must have; float32 without one."""
        import torch

        return next((p.dtype for p in self.module.parameters() if p.is_floating_point()), torch.float32)

    def copy(self) -> nn.Module:
        """Return a copy of the module that may be changed."""
        return hollow(self.module, on_meta)

    def trace(self, shape: tuple[int, ...]) -> Geometry:
        """Return what a forward pass of inputs of this shape, (batch, ...), shows; the result is cached.

        A model that depends on values cannot run on fake tensors; the real model then runs one forward pass.

        Raises NoVerdict when that fails too.
        """
        if shape not in self._traced:
            try:
                self._traced[shape] = self._trace(shape)
            except NoVerdict:
                raise
            except Exception:  # noqa: BLE001 - fake tensors fail in many ways, and the real pass reports the error
                self._traced[shape] = self._trace_real(shape)
        return self._traced[shape]

    def _trace(self, shape: tuple[int, ...]) -> Geometry:
        import torch
        from torch._subclasses.fake_tensor import FakeTensorMode

        # Fake tensors report the CPU as device: unlike meta tensors, they mix with tensors that the model makes.
        with FakeTensorMode(allow_non_fake_inputs=True):
            model = hollow(self.module, lambda tensor: torch.empty(tensor.shape, dtype=tensor.dtype, device="cpu"))
            model.eval()  # which a `train` of the model's own may not return
            return trace(model, torch.empty(shape, dtype=self.dtype))

    def _trace_real(self, shape: tuple[int, ...]) -> Geometry:
        import torch

        model = self._real()
        device = next((parameter.device for parameter in model.parameters()), torch.device("cpu"))
        modes = [(module, module.training) for module in model.modules()]
        try:
            model.eval()
            return trace(model, torch.randn(shape, dtype=self.dtype, device=device))
        except NoVerdict:
            raise
        except Exception as error:
            raise NoVerdict(
                f"a forward pass of inputs of shape {shape} fails: {describe(error)}{_hint(error)}"
            ) from error
        finally:
            for module, mode in modes:
                module.training = mode


_ABOUT_SHAPES = re.compile(
    r"\b(shapes?|sizes?|channels?|height|width|dimensions?|mat1|broadcast\w*|numel)\b", re.IGNORECASE
)
_ABOUT_CHANNELS = re.compile(r"to have (\d+) channels?, but got (\d+) channels")
_BETWEEN_LAYERS = re.compile(r"mat1 and mat2 shapes cannot be multiplied")


def _hint(error: Exception) -> str:
    """Return what to do about a forward pass that fails, as far as the error says it; else an empty string."""
    message = str(error)
    if about := about_signature(error):
        return about
    if wanted := _ABOUT_CHANNELS.search(message):
        return f"; the layer takes {wanted[1]} channels, and the inputs have {wanted[2]}"
    if _BETWEEN_LAYERS.search(message):
        return "; check the input size, or two layers do not fit together"
    may_be_shape = isinstance(error, (RuntimeError, ValueError, AssertionError)) and "dtype" not in message
    return "; check the input size" if may_be_shape and _ABOUT_SHAPES.search(message) else ""
