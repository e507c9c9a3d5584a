"""`determinism_atol`, `eval_determinism_atol` and `eval_drift`: does the same give the same?"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from retspec.facts import Evaluation, Repetition
from retspec.plugin import Observed, check

Atol = Annotated[float, Meta(ge=0)]


@check(
    direction="at most",
    default_limit=0.0,
    advice="Look for randomness that no seed reaches (time, hashes, another generator) and for operations without a "
    "deterministic implementation; on CUDA a limit above zero may be honest.",
)
def determinism_atol(repetition: Repetition) -> Observed[Atol]:
    """Does the same seed give the same training?

    Why it matters:
        Two runs that differ for no reason make every comparison of settings doubtful.

    Example:
        determinism_atol: 0

    What the number means:
        Largest absolute difference of a loss or of a trained parameter between two short trainings from the same
        weights and the same seed, dropout included. On one CPU it is exactly zero.
    """
    details = {"losses": repetition.losses, "parameters": repetition.parameters, "worst": repetition.worst or "none"}
    return Observed(max(repetition.losses, repetition.parameters), details)


@check(
    direction="at most",
    default_limit=0.0,
    advice="Make every dropout follow `self.training` (`F.dropout(x, p, self.training)`), and sample nothing in eval "
    "mode.",
)
def eval_determinism_atol(evaluation: Evaluation) -> Observed[Atol]:
    """Does the same image get the same answer twice?

    Why it matters:
        A dropout that stays on in eval mode makes every validation a lottery.

    Example:
        eval_determinism_atol: 0

    What the number means:
        Largest absolute difference of an output between two forward passes in eval mode.
    """
    return Observed(evaluation.difference)


@check(
    direction="at most",
    unit="buffers",
    default_limit=0,
    advice="Let the modules in the details write to their buffers only when `self.training` is true.",
)
def eval_drift(evaluation: Evaluation) -> Observed[int]:
    """Does evaluating leave the model as it is?

    Why it matters:
        Statistics that are updated in eval mode let the validation images leak into the model, and make the result
        depend on the order of evaluation.

    Example:
        eval_drift: 0

    What the number means:
        Buffers that two forward passes in eval mode changed, bit by bit.
    """
    return Observed(len(evaluation.drifted), {"drifted": list(evaluation.drifted)})
