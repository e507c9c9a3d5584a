"""`max_calibration_error`."""

from __future__ import annotations

from retspec.checks.predictions._reading import observed
from retspec.facts import Statistic
from retspec.plugin import Fraction, Observed, check


@check(
    direction="at most",
    advice="Scale the logits by a temperature that is fitted on the validation split; train with label smoothing or "
    "fewer epochs.",
)
def max_calibration_error(calibration: Statistic) -> Observed[Fraction]:
    """How far are probabilities from the frequencies that they promise, beyond chance?

    Why it matters:
        A perfectly calibrated model has an expected calibration error of 0.12 on 100 images, and 0.013 on 10,000: a
        limit on the error itself judges the number of images.

    Example:
        max_calibration_error: 0.02

    What the number means:
        The expected calibration error over 15 bins of equal width, minus what calibrated probabilities stay below in 95
        of 100 cases: labels are drawn from the probabilities themselves 500 times. 0 is what chance explains. With two
        classes or `positive`, of that probability; else of the highest one. The draws take images as independent, which
        is strict where those of a patient agree. No verdict below `min_patients` (200) patients: chance alone then
        explains most errors.
    """
    return observed(calibration)
