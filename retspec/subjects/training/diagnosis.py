"""Find the operation that made a loss or a gradient NaN or infinite."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retspec.subjects.models.structure import own_name

if TYPE_CHECKING:
    from torch import Tensor, nn
    from torch.autograd.graph import Node
    from torch.utils.hooks import RemovableHandle

    from retspec.subjects.training.trainer import Trainer

PLACE = re.compile(r'File "(.+?)", line (\d+)')
"""A frame of a Python traceback."""


def nonfinite_operation(model: nn.Module, trainer: Trainer) -> str:
    """Return the module that first gave NaN or infinity for finite inputs, in one more forward pass.

    It is named as `name (type)`, or as the inputs or the loss function; empty when everything is finite. The hooks of a
    module run after those of the modules inside it, so the innermost is found. Raises what `trainer.loss` raises.
    """
    import torch

    found: list[str] = []
    names = {module: own_name(name) for name, module in model.named_modules()}

    def hook(module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        if not found and not _is_finite(output) and all(map(_is_finite, inputs)):
            weights = [name for name, p in module.named_parameters(recurse=False) if not _is_finite(p)]
            blame = f", its {' and '.join(weights)} not finite" if weights else ""
            found.append(f"{names[module]} ({type(module).__name__}{blame})")

    handles = [module.register_forward_hook(hook) for module in model.modules()]
    try:
        inputs, targets = trainer.first_micro_batch
        if not _is_finite(inputs):
            return "the inputs themselves"
        with torch.no_grad():
            loss = trainer.loss(inputs, targets)
    finally:
        for handle in handles:
            handle.remove()
    if found:
        return found[0]
    return "the loss function" if not _is_finite(loss) else ""


def nonfinite_backward(model: nn.Module, trainer: Trainer) -> str:
    """Return the operation that first turned finite gradients into NaN or infinity, in one more backward pass.

    Anomaly detection remembers where each operation was called, but it detects NaN only: it would blame the infinite
    slope of a root at zero on the operation that turns it into NaN. So every operation is watched here. See
    https://docs.pytorch.org/docs/stable/autograd.html#anomaly-detection

    Returns an empty string when this pass fails, for example out of memory: the verdict does not need it.
    """
    import torch

    gradients = {parameter: parameter.grad for parameter in model.parameters()}
    found: list[str] = []
    handles: list[RemovableHandle] = []

    def watch(node: Node) -> RemovableHandle:
        def hook(inputs: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
            if not found and all(map(_is_finite, outputs)) and not all(map(_is_finite, inputs)):
                found.append(f"{node.name()}{_call(node)}")

        return node.register_hook(hook)

    try:
        with torch.autograd.set_detect_anomaly(mode=True, check_nan=False):
            loss = trainer.loss(*trainer.first_micro_batch)
        handles += map(watch, _graph(loss))
        loss.backward()  # type: ignore[no-untyped-call]
    except RuntimeError:
        return ""
    finally:
        for handle in handles:
            handle.remove()
        for parameter, gradient in gradients.items():
            parameter.grad = gradient
    return found[0] if found else ""


def _graph(loss: Tensor) -> set[Node]:
    """Return every operation in the autograd graph of the loss."""
    found: set[Node] = set()
    waiting = [loss.grad_fn]
    while waiting:
        node = waiting.pop()
        if node is not None and node not in found:
            found.add(node)
            waiting += [before for before, _ in node.next_functions]
    return found


def _call(node: Node) -> str:
    """Return where the model's code called an operation, as anomaly detection recorded it; empty if it did not."""
    metadata: Any = node.metadata  # a dictionary, whatever its annotation says
    frames = [frame for entry in metadata.get("traceback_", []) for frame in PLACE.findall(entry)]
    own = [(file, line) for file, line in frames if f"{os.sep}torch{os.sep}" not in file]
    return f", called in {Path(own[-1][0]).name}:{own[-1][1]}" if own else ""


def _is_finite(value: Any) -> bool:
    """Whether all elements of a tensor are finite; anything but a tensor counts as finite."""
    import torch

    return not isinstance(value, torch.Tensor) or bool(value.isfinite().all())
