"""`bad_batches`."""

from __future__ import annotations

from retspec.checks.loaders._reading import of_all
from retspec.facts import BadBatch, Sweep
from retspec.plugin import Count, Observed, check

SHOWN = 10


@check(
    direction="at most",
    unit="batches",
    default_limit=0,
    advice="Look at the samples of the batches in the details: a division by a deviation of zero gives NaN, and labels "
    "that start at 1 give one too many.",
)
def bad_batches(sweep: Sweep) -> Observed[Count]:
    """Is every batch finite, and every label one of the classes?

    Why it matters:
        One NaN makes all weights NaN at the next step. A label beyond the last output ends a run on a GPU in an
        assertion that names no sample; both may come in the hundredth batch only.

    Example:
        bad_batches: {limit: 0, with: {num_classes: 5}}

    What the number means:
        Batches, of the first `data.sweep` of each loader, that hold a NaN or an infinity, class indices outside 0..C-1
        or of another type than int64 (or uint8), or a data type other than that of the first batch
        (https://docs.pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html). C is the width of the model's
        output, or what `with` gives; targets that are floating-point numbers need only be finite. The details give how
        many batches were looked at, and name the first bad ones, counted from 0.
    """
    read = {name: of_all(number, sweep.batches[name]) for name, number in sweep.read.items()}
    details: dict[str, object] = {"read": read, "bad": [_line(each) for each in sweep.bad[:SHOWN]]}
    if sweep.num_classes is not None:
        details["classes"] = sweep.num_classes
    return Observed(len(sweep.bad), details)


def _line(batch: BadBatch) -> str:
    return f"{batch.loader} batch {batch.index}: {'; '.join(batch.faults)}"
