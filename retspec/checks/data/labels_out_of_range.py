"""`labels_out_of_range`."""

from __future__ import annotations

from retspec.facts import Labels
from retspec.plugin import Observed, check


@check(
    direction="at most",
    unit="images",
    default_limit=0,
    advice="Compare the labels in the details with the number of classes: labels that start at 1, a model with the "
    "classes of another dataset, or cells of the table that are empty.",
)
def labels_out_of_range(labels: Labels) -> Observed[int]:
    """Has every label an output of the model?

    Why it matters:
        On a GPU a label beyond the last output ends the run in an assertion that names no file; a missing label that
        became class 0 on the way ends in nothing but a worse model.

    Example:
        labels_out_of_range: {limit: 0, with: {num_classes: 5}}

    What the number means:
        Images whose label is no integer, or not between 0 and the number of classes less one. That number is the width
        of the model's output, or what `with` says.
    """
    files = [f"{each.file}: {each.label}" for each in labels.outside]
    return Observed(len(files), {"classes": labels.num_classes, "files": files})
