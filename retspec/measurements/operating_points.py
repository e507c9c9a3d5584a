"""The measurements at one threshold: what share of the positive and of the negative images is on its right side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from msgspec import Meta

from retspec.errors import SubjectError
from retspec.facts import Statistic
from retspec.plugin import Cost, measurement
from retspec.subjects.predictions.binary import Binary, FewestPatients, Level, Positive, binary, too_few

if TYPE_CHECKING:
    from retspec.facts import Predictions
    from retspec.statistics.shares import Share

Threshold = Annotated[
    float,
    Meta(ge=0, le=1, description="The probability of the positive classes from which on an image is called positive."),
]
Specificity = Annotated[float, Meta(gt=0, lt=1, description="What the threshold keeps on the split it is from.")]
ThresholdFrom = Annotated[
    str, Meta(min_length=1, description="The split that the threshold is chosen on; never the judged one.")
]
_METHOD = "Wilson's interval"


@measurement(cost=Cost.STATIC, needs_torch=False)
def sensitivity(
    predictions: Predictions,
    *,
    threshold: Threshold,
    positive: Positive | None = None,
    level: Level = 0.95,
    min_patients: FewestPatients = 30,
) -> Statistic:
    """Compute the share of the positive images that a threshold of the spec calls positive."""
    images = binary(predictions, positive)
    return _statistic(images, "positive", threshold, level, min_patients)


@measurement(cost=Cost.STATIC, needs_torch=False)
def specificity(
    predictions: Predictions,
    *,
    threshold: Threshold,
    positive: Positive | None = None,
    level: Level = 0.95,
    min_patients: FewestPatients = 30,
) -> Statistic:
    """Compute the share of the negative images that a threshold of the spec calls negative."""
    images = binary(predictions, positive)
    return _statistic(images, "negative", threshold, level, min_patients)


@measurement(cost=Cost.STATIC, needs_torch=False)
def sensitivity_at_specificity(
    predictions: Predictions,
    *,
    specificity: Specificity,
    threshold_from: ThresholdFrom,
    positive: Positive | None = None,
    level: Level = 0.95,
    min_patients: FewestPatients = 30,
) -> Statistic:
    """Compute the sensitivity at the threshold that keeps a specificity on another split."""
    other = _other(predictions, positive, threshold_from)
    images = binary(predictions, positive)
    threshold = threshold_at(other, specificity)
    found = _statistic(images, "positive", threshold, level, min_patients)
    reached = right_side(images, "negative", threshold, level).value
    details = {
        "threshold": threshold,
        "chosen on": threshold_from,
        "specificity here": round(reached, 4),
        **found.details,
    }
    few = found.few or _few_to_choose(other, threshold_from, min_patients)
    return Statistic(found.value, found.interval, details, few)


@measurement(cost=Cost.STATIC, needs_torch=False)
def specificity_drift(
    predictions: Predictions,
    *,
    specificity: Specificity,
    threshold_from: ThresholdFrom,
    positive: Positive | None = None,
    level: Level = 0.95,
    min_patients: FewestPatients = 30,
) -> Statistic:
    """Compute how much specificity a threshold that keeps one on another split loses on the judged split."""
    from retspec.statistics.shares import difference

    other = _other(predictions, positive, threshold_from)
    images = binary(predictions, positive)
    threshold = threshold_at(other, specificity)
    there, here = (right_side(each, "negative", threshold, level) for each in (other, images))
    value, lower, upper = difference(there, here)
    interval = images.interval(
        (lower, upper), level, "Newcombe's interval of a difference", of=~images.truth, scale="linear"
    )
    few = too_few({"negative": here.patients}, min_patients, by_patient=images.by_patient)
    details = {
        "threshold": threshold,
        f"specificity on {threshold_from}": shown(there),
        f"specificity on {predictions.split or 'all rows'}": shown(here),
        "method": interval.method,
    }
    return Statistic(value, interval, details, few or _few_to_choose(other, threshold_from, min_patients))


def _other(predictions: Predictions, positive: Positive | None, split: str) -> Binary:
    """Return the images that a threshold is chosen on; raises SubjectError for those that are judged."""
    if split == predictions.split:
        raise SubjectError(
            f"threshold_from is {split!r}, the split that is judged: a threshold looks too good on the images that it "
            "is chosen on; name another split",
            path="checks",
        )
    return binary(predictions, positive, split)


def threshold_at(images: Binary, specificity: float) -> float:
    """Return the lowest threshold that at least this share of the negative images is below."""
    import numpy as np

    negative = np.sort(images.scores[~images.truth])[::-1]
    allowed = int((1 - specificity) * len(negative) + 1e-9)  # 0.1 * 30 is a little below 3
    return float(np.nextafter(negative[allowed], np.inf))


def right_side(images: Binary, kind: str, threshold: float, level: float) -> Share:
    """Return the share of the positive or negative images that a threshold calls so."""
    from retspec.statistics.shares import share

    chosen = images.truth if kind == "positive" else ~images.truth
    called = images.scores >= threshold
    return share((called == images.truth)[chosen], images.units[chosen], level)


def _statistic(images: Binary, kind: str, threshold: float, level: float, fewest: int) -> Statistic:
    found = right_side(images, kind, threshold, level)
    chosen = images.truth if kind == "positive" else ~images.truth
    interval = images.interval((found.lower, found.upper), level, _METHOD, of=chosen)
    details: dict[str, Any] = {
        "positive": images.positive,
        f"{kind} images": found.images,
        **({"their patients": found.patients} if images.by_patient else {}),
        "method": interval.method,
    }
    few = too_few({kind: found.patients}, fewest, by_patient=images.by_patient)
    return Statistic(found.value, interval, details, few)


def _few_to_choose(images: Binary, split: str, fewest: int) -> str:
    """Return that the split of a threshold has too few negative patients, as a clause; empty where it has enough."""
    from retspec.statistics.clusters import counted

    few = too_few({"negative": counted(~images.truth, images.units)}, fewest, by_patient=images.by_patient)
    return f"on {split} {few}" if few else ""


def shown(share: Share) -> str:
    """Return a share with its interval and its number: `0.91 (0.88 to 0.93) of 412`."""
    return f"{share.value:.4g} ({share.lower:.4g} to {share.upper:.4g}) of {share.images:,}"
