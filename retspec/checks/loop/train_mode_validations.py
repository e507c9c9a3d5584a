"""`train_mode_validations`."""

from __future__ import annotations

from retspec.facts import Loop
from retspec.plugin import Count, Inconclusive, Observed, check


@check(
    direction="at most",
    unit="forward passes",
    default_limit=0,
    advice="Call `model.eval()` before each validation and `model.train()` after it: `torch.no_grad()` alone changes "
    "no mode.",
)
def train_mode_validations(loop: Loop) -> Observed[Count]:
    """Is the model validated in eval mode?

    Why it matters:
        In train mode dropout is on, and BatchNorm normalizes by the validation batch and takes it into its running
        statistics. `no_grad` does not change the mode
        (https://docs.pytorch.org/docs/stable/notes/autograd.html#evaluation-mode-nn-module-eval).

    Example:
        train_mode_validations: 0

    What the number means:
        Forward passes of the model without gradients with a module in train mode that computes something else there.
        No verdict when no forward pass without gradients was seen: watch more steps than there are between
        validations. No verdict either when several optimizers step: such passes may then feed another network.
    """
    steps = loop.extent
    if not loop.evaluations:
        raise Inconclusive("no forward pass without gradients was seen; watch past a validation, with `train.steps`")
    if loop.train_mode_evaluations and len(loop.optimizers) > 1:
        raise Inconclusive(
            f"{loop.train_mode_evaluations} forward passes without gradients ran in train mode, and with "
            f"{len(loop.optimizers)} optimizers they may feed another network"
        )
    return Observed(loop.train_mode_evaluations, {"evaluations": loop.evaluations, **steps})
