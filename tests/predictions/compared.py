"""Faults of predictions beside others, of values, of labels and of masks, and what comes of every criterion."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tests.predictions.planting import Columns, healthy, write
from tests.predictions.tables import eyes, squashed

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

HERE = Path(__file__).parent
COMPARED, REGRESSION, LABELS, MASKS = (HERE / f"{name}.yaml" for name in ("compared", "regression", "labels", "masks"))
JUDGED = 'predictions.csv="{folder}/{file}"'
BASELINE = 'checks.non_inferiority.with.baseline="{folder}/{file}"'
RUN = 'checks.seed_spread.with.runs=["{folder}/seed_1.csv", "{folder}/{file}"]'


@dataclass(frozen=True)
class Fault:
    """A table with a fault, the override of a spec that names it, and every criterion that is not met because of it."""

    name: str
    spec: Path
    override: str
    table: Callable[[], Columns | str]
    missed: str = ""
    undecided: str = ""

    @property
    def file(self) -> str:
        """The file with the fault."""
        return f"{self.name.replace(',', '').replace(' ', '-')}.csv"

    def overrides(self, folder: str) -> list[str]:
        """Return the override, for tables in a folder."""
        return [self.override.format(folder=folder, file=self.file)]


def model(seed: int, *, noise: float = 0.3) -> Columns:
    """Return the healthy table as another run predicts it: with noise on its logits."""
    columns = healthy()
    generator = np.random.default_rng(seed)
    logits = np.log(columns["scores"] + 1e-6) + noise * generator.normal(size=columns["scores"].shape)
    scores = np.exp(logits)
    return columns | {"scores": scores / scores.sum(axis=1, keepdims=True)}


def _shuffled(column: str) -> Columns:
    columns = model(1)
    values, judged = columns[column].copy(), columns["split"] == "test"
    values[judged] = np.random.default_rng(0).permutation(values[judged])
    return columns | {column: values}


def _collapsed() -> Columns:
    """Return a table in which the eyes of one camera all look healthy."""
    columns = healthy()
    lost = columns["camera"] == "A"
    return columns | {"scores": np.where(lost[:, None], [0.9, 0.04, 0.03, 0.02, 0.01], columns["scores"])}


def _without_last() -> Columns:
    return {name: values[:-1] for name, values in model(1).items()}


def ages(
    change: Callable[[NDArray[np.float64]], NDArray[np.float64]] = np.asarray, *, camera: float = 1.0, rare: int = 2
) -> str:
    """Return true and predicted ages of two eyes of 100 patients.

    camera: how many times as far off those of one camera are. rare: one in how many patients is of that one.
    """
    generator = np.random.default_rng(0)
    truths = np.repeat(generator.uniform(30, 80, size=100), 2)
    shared = np.repeat(generator.normal(scale=3, size=100), 2)
    of_one = np.arange(200) // 2 % rare == 0
    errors = (shared + generator.normal(size=200)) * np.where(of_one, camera, 1.0)
    rows = zip(truths, change(truths + errors), of_one, strict=True)
    return _text(
        "image,age,predicted,patient,camera",
        [(i, f"{t:.4f}", f"{p:.4f}", f"P{i // 2}", "BA"[int(one)]) for i, (t, p, one) in enumerate(rows)],
    )


def labels(
    *, change: Callable[[NDArray[np.bool_]], Any] = np.asarray, swapped: bool = False, noise: float = 0.0
) -> str:
    """Return two labels of two eyes of 200 patients; `change` and `noise` are of the second one."""
    dr, first, patients = eyes(80, 120, distance=2.5, seed=1)
    amd, second, _ = eyes(90, 110, distance=2.5, seed=2)
    amd, second = amd[::-1], second[::-1]  # of other patients
    second = second + noise * np.random.default_rng(3).normal(size=len(second))
    given = [squashed(second), squashed(first)] if swapped else [squashed(first), squashed(second)]
    rows = zip(dr, change(amd), *given, patients, strict=True)
    return _text(
        "image,dr,amd,p_dr,p_amd,patient",
        [(i, int(a), int(b), f"{p:.6f}", f"{q:.6f}", f"P{who}") for i, (a, b, p, q, who) in enumerate(rows)],
    )


def masks(*, absent: int = 10, alarms: int = 0, never: bool = False, repeated: bool = False, camera: int = 0) -> str:
    """Return the counts of two structures in 60 cases; the cup is absent in some, and may be seen there anyway.

    camera: pixels of each disc that are missed in the cases of one of two cameras.
    """
    generator = np.random.default_rng(4)
    rows: list[tuple[Any, ...]] = []
    for case in range(60):
        device = "AB"[case % 2]
        wrong = generator.integers(50, 150, size=3)
        lost = camera if device == "A" else 0
        rows.append((f"c{case}", "disc", 900 - lost, wrong[0], wrong[1] + lost, f"P{case}", device))
        cup = (
            (0, wrong[2] if case < alarms else 0, 0) if case < absent else (0, 0, 600) if never else (500, 40, wrong[2])
        )
        rows.append((f"c{case}", "cup", *cup, f"P{case}", device))
    return _text("case,structure,tp,fp,fn,patient,camera", rows + rows[-1:] if repeated else rows)


def _text(head: str, rows: list[tuple[Any, ...]]) -> str:
    return "\n".join([head, *(",".join(map(str, row)) for row in rows)]) + "\n"


HEALTHY: dict[str, Callable[[], Columns | str]] = {
    "baseline": lambda: model(1),
    "seed_1": lambda: model(2),
    "seed_2": lambda: model(3),
    "ages": ages,
    "labels": labels,
    "masks": masks,
}
"""The tables that the specs name."""
FAULTS = (
    Fault("none, another run", COMPARED, JUDGED, lambda: model(5)),
    Fault("none, a model that is worse within the margin", COMPARED, BASELINE, lambda: model(6, noise=0.0001)),
    Fault(
        "a model that is worse by more than the margin",
        COMPARED,
        JUDGED,
        lambda: model(7, noise=4),
        "non_inferiority seed_spread",
    ),
    Fault(
        "the names of the baseline are shuffled", COMPARED, BASELINE, lambda: _shuffled("image"), "", "non_inferiority"
    ),
    Fault(
        "the scores of the baseline are shuffled",
        COMPARED,
        BASELINE,
        lambda: _shuffled("scores"),
        "",
        "non_inferiority",
    ),
    Fault("the baseline is the same model", COMPARED, BASELINE, healthy, "", "non_inferiority"),
    Fault("the baseline lacks an image", COMPARED, BASELINE, _without_last, "", "non_inferiority"),
    Fault("one run diverged", COMPARED, RUN, lambda: model(8, noise=6), "seed_spread"),
    Fault("two runs have the same seed", COMPARED, RUN, lambda: model(2), "", "seed_spread"),
    Fault(
        "every eye of one camera looks healthy",
        COMPARED,
        JUDGED,
        _collapsed,
        "non_inferiority seed_spread max_subgroup_gap",
    ),
    Fault(
        "ages are predicted in months",
        REGRESSION,
        JUDGED,
        lambda: ages(lambda values: 12 * values),
        "max_mae min_r2 limits_of_agreement max_error_gap max_r2_gap",
    ),
    Fault(
        "the normalization of ages was not undone",
        REGRESSION,
        JUDGED,
        lambda: ages(lambda values: (values - 55) / 14),
        "max_mae min_r2 limits_of_agreement max_r2_gap",
        "max_error_gap",
    ),
    Fault(
        "every predicted age is the same",
        REGRESSION,
        JUDGED,
        lambda: ages(lambda values: 0 * values + 55),
        "",
        "max_mae min_r2 limits_of_agreement max_error_gap max_r2_gap",
    ),
    Fault(
        "ages are three times as far off with one of two cameras",
        REGRESSION,
        JUDGED,
        lambda: ages(camera=3),
        "max_mae min_r2 limits_of_agreement max_error_gap max_r2_gap",
    ),
    Fault(
        "ages of one camera are of 10 patients",
        REGRESSION,
        JUDGED,
        lambda: ages(rare=10),
        "",
        "max_error_gap max_r2_gap",
    ),
    Fault("one label is noise", LABELS, JUDGED, lambda: labels(noise=9), "min_label_auroc mean_label_auroc"),
    Fault("two labels are swapped", LABELS, JUDGED, lambda: labels(swapped=True), "min_label_auroc mean_label_auroc"),
    Fault(
        "one label is in no image",
        LABELS,
        JUDGED,
        lambda: labels(change=lambda amd: 0 * amd),
        "",
        "min_label_auroc mean_label_auroc",
    ),
    Fault("none, most cases lack a structure", MASKS, JUDGED, lambda: masks(absent=29)),
    Fault(
        "a structure is seen where it is absent",
        MASKS,
        JUDGED,
        lambda: masks(absent=20, alarms=20),
        "min_dice",
        "max_dice_gap",
    ),
    Fault("a structure is never found", MASKS, JUDGED, lambda: masks(never=True), "min_dice"),
    Fault("every mask of a structure is empty", MASKS, JUDGED, lambda: masks(absent=60), "", "min_dice max_dice_gap"),
    Fault("a case is there twice", MASKS, JUDGED, lambda: masks(repeated=True), "", "min_dice max_dice_gap"),
    Fault("the discs of one of two cameras are cut off", MASKS, JUDGED, lambda: masks(camera=300), "max_dice_gap"),
)


def write_compared(folder: Path) -> None:
    """Write the tables that the specs name, and one for every fault."""
    for name, table in [
        *((f"{name}.csv", made) for name, made in HEALTHY.items()),
        *((f.file, f.table) for f in FAULTS),
    ]:
        made = table()
        if isinstance(made, str):
            (folder / name).write_text(made)
        else:
            write(folder / name, made)
