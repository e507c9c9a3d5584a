"""Finding what made a loss, or a gradient, not finite."""

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
    """Return which module, in one more forward pass, first gave NaN or infinity for inputs that were finite.

    The hooks of a module run after those of the modules inside it, so the innermost is found.
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
    """Return which operation, in one more backward pass, first gave a gradient that is not finite for finite ones.

    Anomaly detection remembers where each operation was called, but of what is not finite it sees NaN alone: the
    infinite slope of a root at zero would be blamed on whatever turns it into NaN. So every operation is watched here.
    Where this pass fails, out of memory perhaps, nothing is found: the verdict does not need it.
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
    """Return every operation that the loss came from."""
    found: set[Node] = set()
    waiting = [loss.grad_fn]
    while waiting:
        node = waiting.pop()
        if node is not None and node not in found:
            found.add(node)
            waiting += [before for before, _ in node.next_functions]
    return found


def _call(node: Node) -> str:
    """Return where in the model's code an operation was called, as far as anomaly detection knows."""
    metadata: Any = node.metadata  # a dictionary, whatever its annotation says
    frames = [frame for entry in metadata.get("traceback_", []) for frame in PLACE.findall(entry)]
    own = [(file, line) for file, line in frames if f"{os.sep}torch{os.sep}" not in file]
    return f", called in {Path(own[-1][0]).name}:{own[-1][1]}" if own else ""


def _is_finite(value: Any) -> bool:
    """Whether a tensor holds finite numbers only; anything else counts as finite."""
    import torch

    return not isinstance(value, torch.Tensor) or bool(value.isfinite().all())
