"""A forward pass and loss that a function of the user's own computes."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from retspec.errors import SubjectError
from retspec.subjects.callables import call, load_callable
from retspec.subjects.models.outputs import logits_of
from retspec.subjects.training.own_loss import scalar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import torch
    from torch import Tensor, nn

STEP = "train.step"


class OwnStep:
    """Calls `package.module:callable(model, (inputs, targets))`, and sees that it leaves the rest to the recipe.

    amp: the precision of autocast in which the recipe calls it.
    """

    def __init__(self, reference: str, amp: str) -> None:
        self._reference = reference
        self._amp = amp
        self._function = load_callable(reference, path=STEP)
        self._strayed = ""

    def __call__(
        self,
        model: nn.Module,
        inputs: Any,
        targets: Any,
        see: Callable[[Tensor, Any], None],
        parameters: Sequence[nn.Parameter],
    ) -> Tensor:
        """Return the loss, a scalar, and show the logits where the function returns them.

        inputs and targets: (images, ...), or several of them. parameters: those that train.

        Raises SubjectError when the function fails, gives no such loss, changes gradients or takes an optimizer step.
        """
        gradients = [_state(parameter.grad) for parameter in parameters]
        with self._watched(next(p.device.type for p in (*parameters, *model.parameters()))):
            made = call(self._reference, self._function, (model, (inputs, targets)), path=STEP)
        if self._strayed:  # the function caught what was raised there
            raise SubjectError(self._strayed, path=STEP)
        if gradients != [_state(parameter.grad) for parameter in parameters]:
            raise self._stray("changes gradients by itself (`zero_grad`, or clipping)")
        if not isinstance(made, Mapping):
            return scalar(self._reference, made, learns=bool(parameters), path=STEP)
        if "loss" not in made:
            raise SubjectError(
                f"{self._reference} gave a mapping without `loss`; it has {', '.join(map(str, made)) or 'nothing'}",
                path=STEP,
            )
        outputs = made.get("outputs", made.get("logits"))
        if outputs is not None:
            see(logits_of(outputs).detach(), made.get("targets", targets))
        return scalar(self._reference, made["loss"], learns=bool(parameters), path=STEP)

    @contextmanager
    def _watched(self, device: str) -> Iterator[None]:
        """See a backward pass and an optimizer step before they happen, and the precision of the first module."""
        from torch.nn.modules.module import register_module_forward_pre_hook
        from torch.optim.optimizer import register_optimizer_step_pre_hook

        from retspec.subjects.training.watching.backwards import backward_passes_seen

        looked: list[str] = []

        def look(_module: nn.Module, _inputs: Any) -> None:
            if not looked:
                looked.append(_autocast(device))
                self._require_precision(looked[0])

        def step(_optimizer: torch.optim.Optimizer, _args: Any, _kwargs: Any) -> None:
            raise self._stray("takes an optimizer step by itself")

        def backward(_loss: Tensor | None, _run: Callable[[], Any]) -> None:
            raise self._stray("runs the backward pass by itself")

        self._strayed = ""
        with ExitStack() as stack:
            stack.enter_context(backward_passes_seen(backward))
            for handle in (register_module_forward_pre_hook(look), register_optimizer_step_pre_hook(step)):
                stack.callback(handle.remove)
            yield

    def _require_precision(self, found: str) -> None:
        if found != self._amp:
            self._strayed = (
                f"{self._reference} computes with autocast {found}, and this needs {self._amp}; leave autocast to "
                "`train.amp`"
            )
            raise SubjectError(self._strayed, path=STEP)

    def _stray(self, what: str) -> SubjectError:
        self._strayed = (
            f"{self._reference} {what}; return the loss and leave what comes after it to the recipe, or watch your own "
            "loop: `train: {script: train.py}`"
        )
        return SubjectError(self._strayed, path=STEP)


def _state(gradient: Tensor | None) -> tuple[int, int] | None:
    """Return what changes when a gradient is replaced, or changed in place."""
    return None if gradient is None else (id(gradient), gradient._version)  # noqa: SLF001 - torch has no public name


def _autocast(device: str) -> str:
    """Return the dtype of autocast, as `train.amp` names it."""
    import torch

    return str(torch.get_autocast_dtype(device)).removeprefix("torch.") if torch.is_autocast_enabled(device) else "none"
