"""`determinism_atol`."""

from __future__ import annotations

from retspec.checks.numerics._reading import Atol
from retspec.facts import Repetition
from retspec.plugin import Observed, check


@check(
    direction="at most",
    default_limit=0.0,
    advice="Look for randomness that no seed reaches (time, hashes, another generator) and for operations without a "
    "deterministic implementation; on CUDA a limit above zero can be realistic.",
)
def determinism_atol(repetition: Repetition) -> Observed[Atol]:
    """Does the same seed give the same training?

    Why it matters:
        When two runs differ for no reason, every comparison of settings is in doubt.

    Example:
        determinism_atol: 0

    What the number means:
        Largest absolute difference of a loss or of a trained parameter between two short trainings from the same
        weights and the same seed, dropout included. On one CPU it is exactly zero. PyTorch promises this for one
        release, platform and device only, and on CUDA only for deterministic operations
        (https://docs.pytorch.org/docs/stable/notes/randomness.html).
    """
    details = {"losses": repetition.losses, "parameters": repetition.parameters, "worst": repetition.worst or "none"}
    return Observed(max(repetition.losses, repetition.parameters), details)
