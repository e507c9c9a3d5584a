"""`loaders_share_samples`."""

from __future__ import annotations

from retspec.checks.loaders._reading import of_all
from retspec.facts import SharedSamples
from retspec.plugin import Count, Observed, check


@check(
    direction="at most",
    unit="samples",
    default_limit=0,
    advice="Split once, store the split, and read it in both loaders. `split_leakage` holds the files themselves "
    "against each other, and knows patients.",
)
def loaders_share_samples(shared_samples: SharedSamples) -> Observed[Count]:
    """Do training and validation have no sample in common?

    Why it matters:
        The model can memorize what it saw in training. A split that is drawn again with another seed, after a sort, or
        with overlapping indices leaks without a word (https://doi.org/10.1016/j.patter.2023.100804).

    Example:
        loaders_share_samples: {limit: 0, with: {samples: 5000}}

    What the number means:
        Distinct samples that both loaders can give, by their samplers. They are compared bit by bit before the
        transforms: each dataset, and those inside it, is copied with attributes such as `transform` that do nothing.
        Where items still vary, or cannot be compared, the files that the datasets list as `samples` are. No verdict
        where neither is possible. The details give how many samples were read; `samples` bounds them.
    """
    each = {name: of_all(read, shared_samples.samples[name]) for name, read in shared_samples.read.items()}
    details = {"read": each, "compared by": shared_samples.compared_by, "in both": [*shared_samples.shared]}
    return Observed(len(shared_samples.shared), details)
