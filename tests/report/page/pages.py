"""Reports as large as they become: 66 criteria and more than 20 plots, a comparison, 20 runs, 16 cells."""

from __future__ import annotations

import base64
import io
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from PIL import Image

from retspec.records import Measured, Picture, plain
from tests.report.formats.sample import criterion, judged, report, sample
from tests.report.formats.test_seeds import under
from tests.report.page.test_figures import MADE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from retspec.records import Report, Result

CURVES, CRITERIA, RUNS = 20, 66, 20


def large(**changes: Any) -> Report:
    """Return a report of 66 criteria of every verdict, with every plot that there is and 20 curves of a training."""
    known = [*sample().results, *_seeded()]
    results = [*known, *_more(CRITERIA - len(known))]
    facts = [Measured(key=name, facts=plain(held), seconds=0.2) for name, (held, _) in MADE.items()]
    fields = {"results": tuple(results), "measurements": (*facts, *_trainings())}
    return replace(sample(), **fields | changes)


def pictured() -> Report:
    """Return a report with pictures of the data."""
    drawn = io.BytesIO()
    Image.new("RGB", (96, 64), "brown").save(drawn, format="WEBP")
    image = f"data:image/webp;base64,{base64.b64encode(drawn.getvalue()).decode()}"
    pictures = [
        Picture(caption=f"{words} {number}", group=group, image=image)
        for group, words in GROUPS.items()
        for number in range(6)
    ]
    return replace(sample(), pictures=tuple(pictures))


GROUPS = {
    "One image under its augmentations": "draw",
    "A batch as the model gets it (normalization undone)": "2_severe",
    "Wrong after 20 steps on this batch alone, which says nothing about a released model: 7 of 16 images are wrong, "
    "the most confident first": "label 2_severe, predicted 4_proliferative_without_a_space (0.93), the one of number",
    "Attention rollout, brightest where the model reads most (after 20 steps on this batch alone)": "1_mild",
}
"""The groups of a gallery, and what their captions begin with."""


def compared() -> list[Report]:
    """Return two runs of which the second is worse, and other in its checkpoint."""
    return [large(), _run(1)]


def history() -> list[Report]:
    """Return 20 runs."""
    return [_run(number) for number in range(RUNS)]


def matrix() -> Report:
    """Return a report of 16 cells."""
    names = [f"r={2**power},lr={rate}" for power in range(1, 5) for rate in ("1e-4", "3e-4", "1e-3", "3e-3")]
    return report(name="sweep", cells=tuple(map(_cell, names)))


def _seeded() -> Iterator[Result]:
    """Yield a criterion that is listed in the open, and one that is folded, each under five seeds."""
    yield under((0.51, 0.6, 0.55, 0.53, 0.58), criterion("flipping", 0.52, warn=0.54))
    yield under((0.9, 0.91, 0.9, 0.92, 0.9), criterion("steady"))


def _more(count: int) -> Iterator[Any]:
    advice, question = "Raise the learning rate, or train for more steps.", "By which fraction does the loss fall?"
    details = {"first": 1.7371, "last": 0.0278, "worst layer": "blocks.0.attn.qkv", "per class": [0.1] * 5}
    for number in range(count):
        held = criterion(f"criterion_{number}", advice=advice, question=question, line=50 + number)
        yield judged(held, 0.45 + number / 100, details)


def _trainings() -> Iterator[Measured]:
    curve = [1.6 * 0.93**step for step in range(100)]
    facts = sample().measurements[0].facts | {"losses": curve, "seconds": curve, "gradients": []}
    for number in range(CURVES // 2):  # a loss and the time of a step each
        yield Measured(key=f"training(steps={number})", facts=facts, criteria=(f"criterion_{number}",), seconds=1.5)


def _run(number: int) -> Report:
    """Return a run that differs from the others in its values, and from some in its checkpoint."""
    results = [
        judged(each.criterion, 0.45 + (number * 7 % 11) / 50) if each.criterion.id.startswith("criterion") else each
        for each in large().results
    ]
    provenance = replace(sample().provenance, checkpoint_sha256=f"{(number + 1) // 5:064x}")
    return large(results=tuple(results), started=f"2026-02-{1 + number:02d}T09:30:00", provenance=provenance)


def _cell(name: str) -> Report:
    results = tuple(replace(each, criterion=replace(each.criterion, cell=name)) for each in sample().results)
    return replace(sample(), cell=name, name=f"sweep[{name}]", results=results)
