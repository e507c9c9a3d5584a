"""`min_subgroup_positives`."""

from __future__ import annotations

from retspec.checks.predictions._reading import counted
from retspec.facts import Statistic
from retspec.plugin import Count, Observed, check


@check(
    direction="at least",
    unit="patients",
    advice="Gather more images of the smallest subgroup, or say in writing that the model is not tested on it.",
)
def min_subgroup_positives(subgroup_positives: Statistic) -> Observed[Count]:
    """How many positive patients has the smallest subgroup?

    Why it matters:
        A sensitivity from 10 patients of a subgroup says nothing about it. About 100 events are customary, better 200
        (Collins et al., Statistics in Medicine 2016, https://doi.org/10.1002/sim.6787).

    Example:
        min_subgroup_positives: {limit: 100, with: {positive: [2, 3, 4]}}

    What the number means:
        Patients with a positive image, in the value of a column in `subgroups` that has the fewest; images, where no
        `group` names the patient. A value of another split that has no row in the judged one counts 0.
    """
    return counted(subgroup_positives)
