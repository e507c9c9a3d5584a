"""How often a one-sided 95 % lower bound of the area under the ROC curve holds, with two eyes a patient."""

from __future__ import annotations

from statistics import NormalDist

import click
import numpy as np

from retspec.statistics.auroc import Area, area, interval, separated
from tests.predictions.tables import eyes

LEVEL = 0.9
"""Two-sided: each end is a one-sided bound at 0.95."""
CASES = ((10, 90, 1.796), (10, 90, 2.998), (30, 170, 1.796), (30, 170, 2.998), (100, 300, 1.796), (100, 300, 2.998))
"""Diseased and healthy patients, and how far the scores of diseased eyes lie above the others."""
ROUNDS = 200
"""Samples of each bootstrap."""


def bootstrap(truth: np.ndarray, scores: np.ndarray, units: np.ndarray, seed: int) -> float:
    """Return the 5th percentile of the area over samples of units."""
    generator = np.random.default_rng(seed)
    rows = [np.flatnonzero(units == unit) for unit in range(units.max() + 1)]
    found = []
    for _ in range(ROUNDS):
        drawn = np.concatenate([rows[unit] for unit in generator.integers(len(rows), size=len(rows))])
        if truth[drawn].any() and not truth[drawn].all():
            found.append(area(truth[drawn], scores[drawn], np.arange(len(drawn))).value)
    return float(np.quantile(found, 0.05))


def linear(found: Area) -> float:
    """Return the bound on the scale of the area itself."""
    return found.value - NormalDist().inv_cdf(0.95) * found.variance**0.5


def logit(found: Area, patients: int) -> float:
    """Return the bound that the checks use."""
    return separated(patients, LEVEL) if found.value >= 1 else interval(found, LEVEL)[0]


def bounds(diseased: int, healthy: int, distance: float, seed: int, *, resample: bool) -> list[float]:
    """Return the lower bound of each method for one simulated table."""
    truth, scores, patients = eyes(diseased, healthy, distance=distance, seed=seed)
    images = np.arange(len(truth))
    by_eye, by_patient = (area(truth, scores, units) for units in (images, patients))
    plain = [linear(by_eye), linear(by_patient), logit(by_patient, min(diseased, healthy))]
    units = (images, patients) if resample else ()
    return [*plain, *(bootstrap(truth, scores, each, seed) for each in units)]


@click.command(help=__doc__)
@click.option("--simulations", type=click.IntRange(min=1), default=600, show_default=True)
@click.option("--bootstrap", "resample", is_flag=True, help="Add bootstraps by eye and by patient: many minutes.")
def main(simulations: int, *, resample: bool) -> None:
    """Print the table of coverages."""
    heads = ["diseased / healthy", "true AUROC", "DeLong by eye", "Obuchowski", "Obuchowski, logit"]
    heads += ["bootstrap by eye", "bootstrap by patient"] if resample else []
    print(f"| {' | '.join(heads)} |\n|{' --- |' * len(heads)}")
    for diseased, healthy, distance in CASES:
        true = NormalDist().cdf(distance / 2**0.5)
        found = np.array([bounds(diseased, healthy, distance, seed, resample=resample) for seed in range(simulations)])
        shares = " | ".join(f"{share:.2f}" for share in (found <= true).mean(axis=0))
        print(f"| {diseased} / {healthy} | {true:.3f} | {shares} |", flush=True)


if __name__ == "__main__":
    main()
