"""What `retspec run` costs for 100,000 predictions of 5 classes, in 20 subgroups: all checks of them, csv included."""

from __future__ import annotations

import csv
import tempfile
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import click
import numpy as np
from measuring import Bound, conclude, interleaved, retspec

from tests.predictions.tables import graded

if TYPE_CHECKING:
    from numpy.typing import NDArray

IMAGES = 100_000
OTHERS = 20_000
"""Images of the split that thresholds are chosen on."""
SECONDS, MEGABYTES = 10.0, 1024.0
ALONE = """\
retspec: 1
predictions:
  csv: test.csv
  id: image
  label: grade
  scores: [p0, p1, p2, p3, p4]
  group: patient
  subgroups: [camera, site]
  split: test
checks:
  predictions_complete: {with: {listed_in: listed.csv}}
  min_auroc: {limit: 0.5, judge: bound, with: {positive: [2, 3, 4]}}
  mean_auroc: {check: min_auroc, limit: 0.5, judge: bound}
  min_qwk: {limit: 0.2, judge: bound}
  min_sensitivity: {limit: 0.2, judge: bound, with: {positive: [2, 3, 4], threshold: 0.5}}
  min_specificity: {limit: 0.2, judge: bound, with: {positive: [2, 3, 4], threshold: 0.5}}
  min_sensitivity_at_specificity:
    {limit: 0.2, judge: bound, with: {positive: [2, 3, 4], specificity: 0.9, threshold_from: val}}
  operating_point_drift: {limit: 0.5, judge: bound, with: {positive: [2, 3, 4], specificity: 0.9, threshold_from: val}}
  min_class_recall: {limit: 0.2, judge: bound}
  max_calibration_error: {limit: 0.1, with: {positive: [2, 3, 4]}}
  calibration_slope: {limit: 0.5, judge: bound, with: {positive: [2, 3, 4]}}
  max_brier: {limit: 0.5, judge: bound, with: {positive: [2, 3, 4]}}
  max_subgroup_gap: {limit: 0.5, judge: bound, with: {positive: [2, 3, 4], threshold: 0.5}}
  min_subgroup_positives: {limit: 100, with: {positive: [2, 3, 4]}}
  min_gain_over_prevalence: {limit: 0.1, judge: bound, with: {positive: [2, 3, 4]}}
"""
COMPARED = """\
  non_inferiority:
    {limit: -0.5, judge: bound, with: {baseline: one.csv, metric: auroc, positive: [2, 3, 4]}}
  seed_spread: {limit: 0.5, with: {runs: [one.csv, two.csv], metric: auroc, positive: [2, 3, 4]}}
"""


def write(path: Path, labels: NDArray[np.int64], scores: NDArray[np.float64]) -> None:
    """Write a table of two images a patient."""
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["image", "patient", "camera", "site", "split", "grade", *(f"p{place}" for place in range(5))])
        for row, (label, cells) in enumerate(zip(labels, np.char.mod("%.6f", scores), strict=True)):
            patient = row // 2
            about = [f"C{patient % 10}", f"S{patient // 10 % 10}", "test" if row < IMAGES else "val"]
            writer.writerow([f"{row:06}.png", f"P{patient}", *about, label, *cells])


def write_all(folder: Path) -> None:
    """Write the judged table, two of other runs, the list of images, and both specs."""
    labels, scores = graded(IMAGES + OTHERS)
    generator = np.random.default_rng(1)
    write(folder / "test.csv", labels, scores)
    for name in ("one", "two"):
        other = scores * np.exp(0.2 * generator.normal(size=scores.shape))
        write(folder / f"{name}.csv", labels, other / other.sum(axis=1, keepdims=True))
    (folder / "listed.csv").write_text("image\n" + "".join(f"{row:06}.png\n" for row in range(IMAGES)))
    (folder / "alone.yaml").write_text(ALONE)
    (folder / "compared.yaml").write_text(ALONE + COMPARED)


@click.command(help=__doc__)
@click.option("--rounds", type=click.IntRange(min=1), default=3, show_default=True, help="Rounds to take medians over.")
def main(rounds: int) -> None:
    """Measure, print, and exit with 1 when a bar is missed."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_all(folder)
        specs = {"one table": "alone.yaml", "with two more tables": "compared.yaml"}
        commands = {what: retspec("run", str(folder / spec), "--no-reports") for what, spec in specs.items()}
        costs = interleaved(commands, rounds)
    found = {what: (median(cost.cpu for cost in each), max(cost.peak for cost in each)) for what, each in costs.items()}
    cpu, peak = found["with two more tables"]
    conclude(
        [(what, *each) for what, each in found.items()],
        ["predictions", "CPU s", "peak MB"],
        [Bound("CPU seconds of every check", cpu, SECONDS), Bound("peak memory in MB", peak, MEGABYTES)],
    )


if __name__ == "__main__":
    main()
