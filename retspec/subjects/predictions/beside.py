"""Predictions of another model for the same images, in the same order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from retspec.errors import Inconclusive, SubjectError
from retspec.subjects.predictions.binary import usable
from retspec.subjects.predictions.columns import chosen

if TYPE_CHECKING:
    from retspec.facts import Predictions
    from retspec.subjects.predictions.reading import PredictionReader


def beside(predictions: Predictions, files: PredictionReader, file: str) -> Predictions:
    """Return what another file says of the images of the judged split, row by row as there, with the same patients.

    The order of its rows is its own. Nothing is left out: an image that only one of both has is an error, and so is a
    label that differs.

    Raises SubjectError for a file that cannot be read or is not about the same images, and Inconclusive where it says
    what the judged one says.
    """
    import numpy as np

    here, other = usable(predictions), files.read_beside(file, path="checks")
    found = replace(predictions, tables={"": other}, split="", source=file)
    usable(found)
    places = {name: place for place, name in enumerate(other.ids)}
    missing = sum(name not in places for name in here.ids)
    unknown = len(places) - (len(here.ids) - missing)
    if missing or unknown:
        raise SubjectError(
            f"{file} is not about the same images as {predictions.source}: {missing:,} of {len(here.ids):,} are not "
            f"there, and {unknown:,} of its {len(places):,} are not judged; both need one row of each image, with the "
            "same name",
            path="checks",
        )
    table = chosen(other, np.array([places[name] for name in here.ids]))
    changed = int((table.labels != here.labels).sum())
    if changed:
        raise SubjectError(
            f"{file}: {changed:,} of {len(here.ids):,} images have another label than in {predictions.source}: their "
            "names or labels were mixed up, or the truth was corrected between both",
            path="checks",
        )
    if np.array_equal(table.scores, here.scores):
        raise Inconclusive(f"{file} holds the same scores as {predictions.source}: that is one model, not two")
    return replace(found, tables={"": replace(table, groups=here.groups)})
