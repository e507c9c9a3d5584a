"""`eval_determinism_atol`."""

from __future__ import annotations

from retspec.checks.numerics._reading import Atol
from retspec.facts import Evaluation
from retspec.plugin import Observed, check


@check(
    direction="at most",
    default_limit=0.0,
    advice="Make every dropout follow `self.training` (`F.dropout(x, p, self.training)`), and sample nothing in eval "
    "mode.",
)
def eval_determinism_atol(evaluation: Evaluation) -> Observed[Atol]:
    """Does the same image get the same answer twice?

    Why it matters:
        With dropout still active in eval mode, every validation score is random.

    Example:
        eval_determinism_atol: 0

    What the number means:
        Largest absolute difference of an output between two forward passes in eval mode.
    """
    return Observed(evaluation.difference)
