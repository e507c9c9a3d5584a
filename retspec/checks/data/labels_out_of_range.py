"""`labels_out_of_range`."""

from __future__ import annotations

from retspec.checks.data._reading import first_of, unlabelled
from retspec.facts import Labels
from retspec.plugin import Count, Observed, check


@check(
    direction="at most",
    unit="images",
    default_limit=0,
    advice="Compare the labels in the details with the number of classes: labels that start at 1, a model with the "
    "classes of another dataset, or empty cells in the table.",
)
def labels_out_of_range(labels: Labels) -> Observed[Count]:
    """Does the model have an output for every label?

    Why it matters:
        On a GPU a label beyond the last output ends the run in an assertion that names no file; a missing label that
        became class 0 on the way only makes the model worse.

    Example:
        labels_out_of_range: {limit: 0, with: {num_classes: 5}}

    What the number means:
        Images whose label is no integer, or not in [0, C) for C classes, as cross-entropy asks for
        (https://docs.pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html). C is the width of the model's
        output, or what `with` gives. Of several label columns there must be C, with 1 or 0 in every cell. Where a split
        has no labels, a limit that is met has no verdict.
    """
    files = [f"{each.file}: {each.label}{f' ({each.place})' if each.place else ''}" for each in labels.outside]
    details = {
        "classes": labels.num_classes,
        **first_of("files", files, labels.images),
        "without an image": list(labels.unused),
    }
    return Observed(labels.images, details, unlabelled(labels.unlabelled))
