"""The measurement `dice_scores`: how well predicted masks overlap with the true ones, case by case."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from retspec.errors import Inconclusive
from retspec.facts import Forest, ForestRow, Statistic
from retspec.plugin import Cost, measurement
from retspec.subjects.predictions.binary import FewestPatients, Level, interval_of, too_few
from retspec.subjects.predictions.examples import Examples, furthest
from retspec.subjects.predictions.plotting import lowest_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from retspec.facts import Overlaps
    from retspec.statistics.regression import Estimate


@measurement(cost=Cost.STATIC, needs_torch=False)
def dice_scores(
    overlaps: Overlaps, *, level: Level = 0.95, min_patients: FewestPatients = 30, examples: Examples = 0
) -> Statistic:
    """Compute the mean over cases of the Dice of each structure; the value is that of the worst one.

    A case whose true and predicted masks are both empty has no Dice, and is left out.
    """
    import numpy as np

    from retspec.statistics.regression import mean

    names = np.array(overlaps.structures)
    found: dict[str, Estimate] = {}
    shown: dict[str, dict[str, Any]] = {}
    patients: dict[str, int] = {}
    chosen: dict[str, NDArray[np.bool_]] = {}
    for name in dict.fromkeys(overlaps.structures):
        here = (names == name) & (overlaps.counts.sum(axis=1) > 0)
        if not here.any():
            raise Inconclusive(f"the true and the predicted mask{_of(name)} are empty in every case: there is no Dice")
        dice = dice_of(overlaps.counts[here])
        found[name] = mean(dice, overlaps.units[here], level)
        shown[name or "all"] = _shown(overlaps.counts[names == name], dice)
        patients[repr(name) if name else "different"] = len(np.unique(overlaps.units[here]))
        chosen[name] = here
    worst = min(found, key=lambda name: found[name].value)
    ends, decides = _ends(found, worst)
    interval = interval_of(
        overlaps.units[chosen[decides]],
        ends,
        level,
        "normal; the lowest lower end of all",
        by_patient=overlaps.by_patient,
        about=f"with the structure {decides!r}" if decides else "",
        estimate=found[decides].value,
    )
    details = {**({"worst structure": worst} if worst else {}), **shown, "method": interval.method}
    of_worst = np.flatnonzero(chosen[worst])
    details |= furthest(
        [overlaps.cases[row] for row in of_worst],
        1 - dice_of(overlaps.counts[of_worst]),
        examples,
        title="cases with the lowest Dice, as 1 - Dice",
    )
    few = incomplete(overlaps) or too_few(patients, min_patients, by_patient=overlaps.by_patient)
    rows = (ForestRow(name or "all", *each, int(chosen[name].sum())) for name, each in found.items())
    return Statistic(found[worst].value, interval, details, few, (Forest("mean Dice by structure", lowest_of(rows)),))


def dice_of(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return 2 TP / (2 TP + FP + FN) of each row (Dice, Ecology 1945;26:297-302)."""
    right, too_many, missed = counts.T
    result: NDArray[np.float64] = 2 * right / (2 * right + too_many + missed)
    return result


def _shown(counts: NDArray[np.float64], dice: NDArray[np.float64]) -> dict[str, Any]:
    is_absent = counts[:, 0] + counts[:, 2] == 0
    return {
        "mean": round(float(dice.mean()), 4),
        "lowest case": round(float(dice.min()), 4),
        "all pixels together": round(float(dice_of(counts.sum(axis=0, keepdims=True))[0]), 4),
        "cases": len(dice),
        "absent, but predicted (0)": int((is_absent & (counts[:, 1] > 0)).sum()),
        "left out, empty in both": int((is_absent & (counts[:, 1] == 0)).sum()),
    }


def incomplete(overlaps: Overlaps) -> str:
    """Return which structure lacks rows of cases that others have, as a clause; empty where none does.

    A script that writes no row for a mask that it could not find would make the mean one of the masks that it found.
    """
    cases, rows = len(set(overlaps.cases)), Counter(overlaps.structures)
    lacking = [f"{cases - number:,} of {cases:,} cases{_of(name)}" for name, number in rows.items() if number < cases]
    if not lacking:
        return ""
    return f"there is no row for {' and '.join(lacking)}; write one with counts of 0 where both masks are empty"


def _ends(found: dict[str, Estimate], worst: str) -> tuple[tuple[float, float], str]:
    """Return the interval, and the structure that its lower end is of.

    Of cases that are all alike, as of one patient, nothing is known of the others.
    """
    known = {
        name: each if each.lower < each.upper < float("inf") else each._replace(lower=0, upper=1)
        for name, each in found.items()
    }
    decides = min(known, key=lambda name: known[name].lower)
    return (max(known[decides].lower, 0.0), min(known[worst].upper, 1.0)), decides


def _of(name: str) -> str:
    return f" of {name!r}" if name else ""
