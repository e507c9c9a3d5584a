"""What the measurement `images` takes, against decoding the same files on all cores and nothing else."""

from __future__ import annotations

import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING

import click
import numpy as np
from measuring import Bound, conclude, median_ratio
from PIL import Image

from retspec.measurements.images import images
from retspec.subjects.data.sources.imagefolder import ImageFolder, imagefolder
from retspec.subjects.devices import cores

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from retspec.facts import Dataset

BAR = 1.25
MANY = 200_000
"""Images times pixels of a side below which there is no bar: a tenth of a second is not worth processes."""
SIZES = ((1_000, 64), (10_000, 64), (10_000, 224), (200, 1024))
AT_ONCE = 16
"""Files that one thread decodes at a time."""
DRAWN = 20
"""Number of images that are drawn; the others are parts of those, moved by other amounts."""


@click.command(help=__doc__)
@click.option("--rounds", type=click.IntRange(min=1), default=7, show_default=True, help="Rounds to take medians over.")
def main(rounds: int) -> None:
    """Measure, print, and exit with 1 when the bar is missed."""
    rows, bounds = [], []
    for count, side in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            dataset = _written(Path(folder), count, side)
            paths = [dataset.path(example) for example in dataset.examples]
            decoding, measuring = _interleaved(dataset, paths, rounds)
        name = f"{count:,} images of {side} px"
        rows.append((name, median(decoding), median(measuring)))
        if count * side >= MANY:
            bounds.append(Bound(f"{name}: measuring / decoding", median_ratio(measuring, decoding), BAR))
    conclude(rows, ["images", "decoding s", "measuring s"], bounds)


def _written(root: Path, count: int, side: int) -> Dataset:
    """Write images that all differ, each with a disc like a fundus, a fifth of them for validation."""
    rows, columns = np.mgrid[:side, :side] / side - 0.5
    disc = ((rows**2 + columns**2) < 0.2)[..., None]  # noqa: PLR2004 - of the width
    drawn = [_smooth(index, 2 * side) for index in range(DRAWN)]
    for split in ("train", "val"):
        (root / split / "class").mkdir(parents=True)
    for index in range(count):
        top, left = np.random.default_rng(index).integers(0, side, 2)
        part = drawn[index % DRAWN][top : top + side, left : left + side] * disc
        split = "val" if index % 5 == 0 else "train"
        Image.fromarray(part).save(root / split / "class" / f"{index}.jpg")
    return imagefolder(ImageFolder(root="."), root)


def _smooth(seed: int, side: int) -> np.ndarray:
    coarse = np.random.default_rng(seed).integers(60, 200, (side // 8, side // 8, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC))


def _interleaved(dataset: Dataset, paths: Sequence[Path], rounds: int) -> tuple[list[float], list[float]]:
    """Return the seconds of both, round by round, after one that fills the caches of the disk."""
    pairs = [
        (_seconds(lambda: _decode_all(paths)), _seconds(lambda: images(dataset, _quiet))) for _ in range(rounds + 1)
    ]
    decoding, measuring = zip(*pairs[1:], strict=True)
    return list(decoding), list(measuring)


def _seconds(work: Callable[[], object]) -> float:
    started = perf_counter()
    work()
    return perf_counter() - started


def _decode_all(paths: Sequence[Path]) -> None:
    parts = [paths[at : at + AT_ONCE] for at in range(0, len(paths), AT_ONCE)]
    with ThreadPoolExecutor(cores()) as pool:
        list(pool.map(_decode, parts))


def _decode(paths: Sequence[Path]) -> None:
    for path in paths:
        with Image.open(path) as image:
            image.load()


def _quiet(_step: int, _total: int) -> None:
    """Ignore progress."""


if __name__ == "__main__":
    main()
