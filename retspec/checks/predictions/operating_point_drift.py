"""`operating_point_drift`."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from retspec.checks.predictions._reading import observed
from retspec.facts import Statistic
from retspec.plugin import Observed, check


@check(
    direction="at most",
    interval=True,
    advice="Compare both splits by camera and by site; recalibrate the scores on images like those that will come.",
)
def operating_point_drift(specificity_drift: Statistic) -> Observed[Annotated[float, Meta(ge=-1, le=1)]]:
    """How much specificity does a threshold lose from the split that it was chosen on?

    Why it matters:
        A threshold that keeps 0.9 on validation images can keep 0.7 on those of another camera, with the same area
        under the curve.

    Example:
        operating_point_drift: {limit: 0.05, judge: point, with: {specificity: 0.9, threshold_from: val}}

    What the number means:
        The specificity on `threshold_from` minus that on the judged split, both at the lowest threshold that keeps
        `specificity` there; below 0, it is higher here. The interval is that of Newcombe (Statistics in Medicine 1998)
        for a difference, each side by patient.
    """
    return observed(specificity_drift)
