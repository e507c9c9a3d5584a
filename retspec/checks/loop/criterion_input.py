"""`criterion_input`."""

from __future__ import annotations

from retspec.facts import Loop
from retspec.plugin import Inconclusive, Observed, check


@check(
    direction="equal",
    default_limit="logits",
    advice="Give cross-entropy what the last linear layer returns: take softmax, log_softmax or ReLU out of the model, "
    "and apply softmax where probabilities are reported.",
)
def criterion_input(loop: Loop) -> Observed[str]:
    """Does cross-entropy get logits?

    Why it matters:
        Cross-entropy applies log_softmax itself
        (https://docs.pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html). Given probabilities it still
        falls, slowly, and cannot come near zero; given logits that a ReLU has cut, no class can be ruled out.

    Example:
        criterion_input: logits

    What the number means:
        What entered the first calls of `cross_entropy` looks like: `logits`, `probabilities` (not negative, each row
        sums to 1), `log-probabilities` (their exponentials do; a second log_softmax changes nothing, but the model
        returns no logits) or `no negative values` (a tenth of them exactly zero). The tolerance is that of the data
        type. A module without parameters that makes a scalar of two tensors counts, too, if it takes a softmax of its
        first one: timm's LabelSmoothingCrossEntropy, a focal loss. No verdict for any other criterion: it may want
        probabilities.
    """
    steps = loop.extent
    criterion = loop.criterion
    if criterion is None or not criterion.input_kind:
        seen = "no criterion that is known" if criterion is None else criterion.name
        raise Inconclusive(f"no cross-entropy was called; the loss came from {seen}")
    return Observed(criterion.input_kind, {"criterion": criterion.name, "classes": criterion.classes, **steps})
