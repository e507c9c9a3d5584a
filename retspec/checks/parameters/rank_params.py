"""`rank_params`."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from retspec.facts import Ranks
from retspec.plugin import Observed, Relative, check


@check(
    direction="at most",
    default_limit=0.0,
    shorthand="expected",
    advice="Compare the counts in the details: a difference by a constant factor means other layers than expected; "
    "correct `model.lora.target_modules` or the expected numbers.",
)
def rank_params(
    ranks: Ranks,
    *,
    expected: Annotated[
        dict[int, int],
        Meta(min_length=1, description="Rank to the number of adapter parameters expected for it."),
    ],
) -> Observed[Relative]:
    """Does the adapter have the expected number of parameters at every rank?

    Why it matters:
        A rank sweep compares models that differ in rank only. Counts that are not proportional to the rank mean that
        something else changes with it.

    Example:
        rank_params: {4: 393_216, 8: 786_432, 16: 1_572_864, 32: 3_145_728}

    What the number means:
        The model is wrapped again at each rank, without weights, and its adapter parameters are counted. A layer of in
        x out features has r x (in + out), see section 4.1 of LoRA (https://arxiv.org/abs/2106.09685). The number is the
        worst relative deviation from the expectation; 0 means that all counts are exact.
    """
    counts = {count.rank: count.count for count in ranks.counts}
    deviations = {rank: abs(counts[rank] - count) / max(count, 1) for rank, count in expected.items()}
    details = {f"rank {rank}": {"expected": expected[rank], "counted": counts[rank]} for rank in expected}
    return Observed(max(deviations.values()), details)
