"""How often intervals hold the true number, with two eyes a patient: the tables of docs/predictions.md."""

from __future__ import annotations

from statistics import NormalDist
from typing import TYPE_CHECKING

import click
import numpy as np
from other_intervals import others

from retspec.statistics.auroc import Area, area, interval, separated
from retspec.statistics.normal import logit
from tests.predictions.tables import eyes

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEVEL = 0.9
"""Two-sided: each end is a one-sided bound at 0.95."""
CASES = tuple(
    (diseased, healthy, distance)
    for diseased, healthy in ((10, 90), (30, 170), (100, 300))
    for distance in (1.796, 2.998)
)
"""Diseased and healthy patients, and how far the scores of diseased eyes lie above the others."""
SAMPLES = 500
"""Of each bootstrap."""
HEADS = ("DeLong by eye", "bootstrap by eye", "bootstrap by patient", "Obuchowski", "logit", "logit, t")


def bootstrap(truth: NDArray[np.bool_], scores: NDArray[np.float64], units: NDArray[np.int64], seed: int) -> float:
    """Return the 5th percentile of the area over samples of units, by counts of how often each is drawn.

    No two scores are equal, so that the pairs in order are a running sum over the images by their scores.
    """
    number = int(units.max()) + 1
    drawn = np.random.default_rng(seed).multinomial(number, np.full(number, 1 / number), size=SAMPLES)
    order = np.argsort(scores)
    counts = drawn[:, units[order]].astype(np.float64)
    negative, positive = counts * ~truth[order], counts * truth[order]
    pairs = negative.sum(axis=1) * positive.sum(axis=1)
    in_order = (negative.cumsum(axis=1) * positive).sum(axis=1)
    return float(np.quantile(in_order[pairs > 0] / pairs[pairs > 0], (1 - LEVEL) / 2))


def linear(found: Area) -> float:
    """Return the bound on the scale of the area itself."""
    return float(found.value - NormalDist().inv_cdf((1 + LEVEL) / 2) * found.variance**0.5)


def logits(found: Area, patients: int) -> list[float]:
    """Return the bound on the logit scale, and that with the quantile of t, which the checks use."""
    if found.value >= 1:
        return [separated(patients, LEVEL)] * 2
    return [logit(found.value, found.variance, LEVEL)[0], interval(found, LEVEL)[0]]


def bounds(diseased: int, healthy: int, distance: float, seed: int) -> list[float]:
    """Return the lower bound of each method for one simulated table."""
    truth, scores, patients = eyes(diseased, healthy, distance=distance, seed=seed)
    images = np.arange(len(truth))
    by_eye, by_patient = (area(truth, scores, units) for units in (images, patients))
    sampled = [bootstrap(truth, scores, units, seed) for units in (images, patients)]
    return [linear(by_eye), *sampled, linear(by_patient), *logits(by_patient, min(diseased, healthy))]


def print_areas(simulations: int) -> None:
    """Print how often lower bounds of the area lie below it."""
    heads = ("diseased / healthy", "true AUROC", *HEADS)
    print(f"| {' | '.join(heads)} |\n|{' --- |' * len(heads)}")
    for diseased, healthy, distance in CASES:
        true = NormalDist().cdf(distance / 2**0.5)
        found = np.array([bounds(diseased, healthy, distance, seed) for seed in range(simulations)])
        shares = " | ".join(f"{share:.2f}" for share in (found <= true).mean(axis=0))
        print(f"| {diseased} / {healthy} | {true:.3f} | {shares} |", flush=True)


def print_others(simulations: int) -> None:
    """Print how often both ends of the other intervals hold, at a level of 0.95: 0.975 is nominal for each."""
    print("\n| number | diseased / healthy | true | lower end | upper end |\n| --- | --- | --- | --- | --- |")
    for name, diseased, healthy, true, ends in others():
        found = np.array([ends(diseased, healthy, seed) for seed in range(simulations)])
        below, above = (found[:, 0] <= true).mean(), (found[:, 1] >= true).mean()
        print(f"| {name} | {diseased} / {healthy} | {true:.3f} | {below:.3f} | {above:.3f} |", flush=True)


@click.command(help=__doc__)
@click.option("--simulations", type=click.IntRange(min=1), default=600, show_default=True)
def main(simulations: int) -> None:
    """Print the tables of coverages."""
    print_areas(simulations)
    print_others(simulations)


if __name__ == "__main__":
    main()
