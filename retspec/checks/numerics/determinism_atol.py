"""`determinism_atol`."""

from __future__ import annotations

from retspec.checks.numerics._reading import Atol
from retspec.facts import Repetition
from retspec.plugin import Observed, check


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
