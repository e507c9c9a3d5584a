"""Which keys of the section `predictions` belong together: classes, several labels, a regression, masks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.records.predictions import PIXELS
from retspec.spec.validate.context import Finding
from retspec.text.wording import listing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from retspec.records import PredictionFiles

_SECTION = "predictions"


def broken_kind(section: PredictionFiles) -> Iterator[Finding]:
    """Yield what is missing beside the outputs of a model, and what says nothing beside them."""
    if section.kind == "counts":
        if len(section.counts or ()) != len(PIXELS):
            message = f"predictions.counts names {len(section.counts or ())} columns; name those of {listing(PIXELS)}"
            yield Finding((_SECTION, "counts"), f"{message} pixels, in this order")
        yield from _useless(section, "label", "the counts compare with the true masks already")
        yield from _useless(section, "labels", "the counts compare with the true masks already")
    elif section.label is None and section.labels is None:
        yield Finding((_SECTION,), "predictions needs the key 'label': the column of what is true", on_key=True)
    elif section.label is not None:
        yield from _useless(section, "labels", "`label` is one true class of each image; keep one of both")
    elif section.values is not None:
        yield from _useless(section, "labels", "`values` has one true value; name it as `label`")
    elif section.outputs and len(section.labels or ()) != len(section.outputs):
        message = (
            f"predictions.labels names {len(section.labels or ())} columns, and the model has {len(section.outputs)} "
            "outputs; each label needs one, in the same order"
        )
        yield Finding((_SECTION, "labels"), message)
    if section.kind != "counts":
        yield from _useless(section, "structure", "only `counts` have a row for each structure")
        yield from _predicted_truth(section)
    for key in ("labels", "counts"):
        names = [*(getattr(section, key) or ())]
        for name in sorted({name for name in names if names.count(name) > 1})[:1]:
            yield Finding((_SECTION, key), f"predictions.{key} names the column {name!r} twice; keep one")


def _predicted_truth(section: PredictionFiles) -> Iterator[Finding]:
    """Yield a column that is both the truth and the prediction: every criterion would be met by it."""
    truths = section.labels or ([] if section.label is None else [section.label])
    for key in ("scores", "logits", "values"):
        given = getattr(section, key) or ()
        for name in [given] if isinstance(given, str) else given:
            if name in truths:
                message = f"predictions.{key} names the column {name!r}, which is the truth; name what the model said"
                yield Finding((_SECTION, key), message)
                return


def _useless(section: PredictionFiles, key: str, why: str) -> Iterator[Finding]:
    if getattr(section, key) is not None:
        yield Finding((_SECTION, key), f"predictions.{key} says nothing here: {why}", on_key=True)
