"""`eval_mode_leaves`."""

from __future__ import annotations

import re
from typing import Annotated

from msgspec import Meta

from retspec.facts import Loop
from retspec.plugin import Count, Observed, check

Allow = Annotated[
    list[str], Meta(description="Regular expressions; a module in whose name one is found may be in eval mode.")
]


@check(
    direction="at most",
    unit="modules",
    default_limit=0,
    advice="Call `model.train()` at the start of each epoch and after each validation. Allow what is frozen on purpose "
    "(`with: {allow: [norm]}`).",
)
def eval_mode_leaves(loop: Loop, *, allow: Allow = []) -> Observed[Count]:  # noqa: B006 - read only
    """Does the model train in train mode?

    Why it matters:
        After a validation that leaves the model in eval mode, dropout is off and normalization uses its running
        statistics for the rest of the epoch, or of the run (https://github.com/fartashf/vsepp/issues/4).

    Example:
        eval_mode_leaves: {limit: 0, with: {allow: [stem]}}

    What the number means:
        Modules without children that compute something else in eval mode (dropout, normalization with running
        statistics, classes of your own) and were in eval mode in a forward pass that a backward pass followed, except
        those that are allowed: frozen normalization is kept in eval mode on purpose
        (https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.train). A validation
        counts for the watched steps only: watch more steps than one epoch has, or than there are between validations.
    """
    steps = loop.extent
    evaluating = [name for name in loop.eval_leaves if not any(re.search(pattern, name) for pattern in allow)]
    details = {"in eval mode": evaluating, "allowed": len(loop.eval_leaves) - len(evaluating)}
    return Observed(len(evaluating), {**details, "evaluations": loop.evaluations, **steps})
