"""Finding what made a loss not finite."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from retspec.subjects.structure import own_name

if TYPE_CHECKING:
    from torch import nn

    from retspec.subjects.recipes import Trainer


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


def _is_finite(value: Any) -> bool:
    """Whether a tensor holds finite numbers only; anything else counts as finite."""
    import torch

    return not isinstance(value, torch.Tensor) or bool(value.isfinite().all())
