"""What a user's own module holds for `train:`: an optimizer, a scheduler, a step and losses, healthy and faulty."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn import functional

if TYPE_CHECKING:
    from torch import Tensor
    from torch.optim import Optimizer
    from torch.optim.lr_scheduler import LRScheduler

Pair = tuple["Tensor", "Tensor"]
RATE = 0.02
NOT_CALLABLE = 3


# Healthy -------------------------------------------------------------------------------------------


def optimizer(model: nn.Module) -> Optimizer:
    """As the recipe builds it for `{lr: 0.02, weight_decay: 0.1}`."""
    return torch.optim.AdamW((p for p in model.parameters() if p.requires_grad), lr=RATE, weight_decay=0.1)


def scheduler(optimizer: Optimizer) -> LRScheduler:
    return torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=4)


def both(model: nn.Module) -> tuple[Optimizer, LRScheduler]:
    made = optimizer(model)
    return made, scheduler(made)


class Halving:
    """A scheduler that is none of torch: all it has is `step()`."""

    def __init__(self, optimizer: Optimizer) -> None:
        self._optimizer = optimizer

    def step(self) -> None:
        for group in self._optimizer.param_groups:
            group["lr"] /= 2


def step(model: nn.Module, batch: Pair) -> Tensor:
    images, labels = batch
    return functional.cross_entropy(model(images), labels)


def step_that_shows(model: nn.Module, batch: Pair) -> dict[str, Tensor]:
    images, labels = batch
    logits = model(images)
    return {"loss": functional.cross_entropy(logits, labels), "outputs": logits, "targets": labels}


def loss(outputs: Tensor, targets: Tensor) -> Tensor:
    return functional.cross_entropy(outputs, targets)


def loss_by_name(*, targets: Tensor, logits: Tensor) -> Tensor:
    return functional.cross_entropy(logits, targets)


criterion = nn.CrossEntropyLoss()


class Named(nn.Module):
    """A criterion that calls its parameters as retspec does."""

    def forward(self, targets: Tensor, logits: Tensor) -> Tensor:
        return functional.cross_entropy(logits, targets)


named = Named()


def loss_of_two_heads(outputs: dict[str, Tensor], targets: Tensor) -> Tensor:
    return functional.cross_entropy(outputs["logits"], targets) + outputs["auxiliary"].square().mean()


# Optimizers that cannot be used --------------------------------------------------------------------


def raises(*_given: Any) -> Any:
    raise KeyError("lr")


def nothing(*_given: Any) -> None:
    return None


def a_class(_given: Any) -> Any:
    return torch.optim.SGD


def two_optimizers(model: nn.Module) -> Any:
    return optimizer(model), optimizer(model)


def of_a_copy(model: nn.Module) -> Optimizer:  # noqa: ARG001 - that is the fault
    return torch.optim.SGD(nn.Linear(4, 3).parameters(), lr=0.1)


def of_what_is_frozen(model: nn.Module) -> Optimizer:
    return torch.optim.SGD([p for p in model.parameters() if not p.requires_grad], lr=0.1)


def of_the_head(model: nn.Module) -> Optimizer:
    return torch.optim.SGD([{"params": [p for name, p in model.named_parameters() if "head" in name]}], lr=0.1)


def that_freezes(model: nn.Module) -> Optimizer:
    for name, parameter in model.named_parameters():
        parameter.requires_grad = "head" in name
    return of_the_head(model)


def lbfgs(model: nn.Module) -> Optimizer:
    return torch.optim.LBFGS(model.parameters())


class Sam(torch.optim.SGD):
    """It says only when it steps that it needs the training step."""

    def step(self, closure: Any = None) -> Any:
        assert closure is not None, "SAM needs a closure"


def sam(model: nn.Module) -> Optimizer:
    return Sam(model.parameters(), lr=0.1)


# Schedulers that cannot be used --------------------------------------------------------------------


def on_plateau(optimizer: Optimizer) -> Any:
    return torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer)


def of_another(_optimizer: Optimizer) -> Any:
    return scheduler(optimizer(nn.Linear(4, 3)))


class Runs:
    """A scheduler whose step fails."""

    def __init__(self, _optimizer: Optimizer) -> None:
        """Take it."""

    def step(self) -> None:
        raise ZeroDivisionError("no epochs")


# Losses and steps that cannot be used --------------------------------------------------------------


def number(_outputs: Tensor, _targets: Tensor) -> float:
    return 1.0


def unreduced(outputs: Tensor, targets: Tensor) -> Tensor:
    return functional.cross_entropy(outputs, targets, reduction="none")


def detached(outputs: Tensor, targets: Tensor) -> Tensor:
    return functional.cross_entropy(outputs.detach(), targets)


def not_finite(outputs: Tensor, targets: Tensor) -> Tensor:
    return functional.cross_entropy(outputs, targets) / 0 * 0


def step_backward(model: nn.Module, batch: Pair) -> Tensor:
    value = step(model, batch)
    value.backward()  # type: ignore[no-untyped-call]
    return value


def step_backward_unseen(model: nn.Module, batch: Pair) -> Tensor:
    try:
        return step_backward(model, batch)
    except Exception:  # noqa: BLE001 - what careless loops do
        return step(model, batch)


def step_update(model: nn.Module, batch: Pair) -> Tensor:
    optimizer(model).step()
    return step(model, batch)


def step_zero_grad(model: nn.Module, batch: Pair) -> Tensor:
    model.zero_grad()
    return step(model, batch)


def step_without_gradients(model: nn.Module, batch: Pair) -> Tensor:
    with torch.no_grad():
        return step(model, batch)


def step_with_autocast(model: nn.Module, batch: Pair) -> Tensor:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        return step(model, batch)


def step_without_loss(model: nn.Module, batch: Pair) -> dict[str, Tensor]:
    return {"los": step(model, batch)}


def step_that_reads(model: nn.Module, batch: Pair) -> Tensor:
    value = step(model, batch)
    assert value.item() < 1e9  # as for a log
    return value


def step_without_images(model: nn.Module, batch: Pair) -> Tensor:
    """What comes before the model destroys its input."""
    images, labels = batch
    return step(model, (0 * images, labels))


def step_that_draws(model: nn.Module, batch: Pair) -> Tensor:
    """Mixup, in short."""
    images, labels = batch
    share = torch.rand(())
    logits = model(share * images + (1 - share) * images.flip(0))
    return share * functional.cross_entropy(logits, labels) + (1 - share) * functional.cross_entropy(
        logits, labels.flip(0)
    )
