"""`head_trainable`."""

from __future__ import annotations

from retspec.facts import Geometry
from retspec.plugin import Observed, SubjectError, check


@check(
    direction="equal",
    default_limit=True,
    advice="Name the classifier in `model.lora.modules_to_save` as the model calls it (timm: usually `head` or `fc`), "
    "and replace a head before wrapping the model, not after.",
)
def head_trainable(geometry: Geometry) -> Observed[bool]:
    """Does the classifier train, and does it produce the output?

    Why it matters:
        Without the right `modules_to_save`, peft keeps a new head frozen at its random weights
        (https://huggingface.co/docs/peft/developer_guides/troubleshooting). A head that is replaced after wrapping
        trains, but is never used. In both cases the loss still falls.

    Example:
        head_trainable: true

    What the number means:
        True when every module whose output reaches the logits has a trainable parameter, and the gradient of the output
        reaches it. Where several heads make the logits, as in a distilled DeiT (https://arxiv.org/abs/2012.12877), one
        that is frozen and random spoils its part of them. A matrix that `forward` multiplies by itself, such as
        prototypes, counts as a module. Found by running the model, not by a name.
    """
    classifier = geometry.classifier
    if not classifier.is_projection:
        raise SubjectError(
            f"the model has no classifier: its output comes from {classifier.name!r} ({classifier.type}); "
            "set `num_classes`"
        )
    details: dict[str, object] = {
        "classifier": f"{classifier.name} ({classifier.type})",
        "trainable, but not used": list(classifier.unused_trainable),
    }
    if len(classifier.heads) > 1:
        details["all heads"] = list(classifier.heads)
    cut_off = [
        name for name in classifier.frozen_heads if any(f"{name}." in each for each in classifier.unused_trainable)
    ]
    if frozen := [name for name in classifier.frozen_heads if name not in cut_off]:
        details["frozen"] = frozen
    if cut_off:
        details["reached by no gradient of the output (detached, or computed under no_grad)"] = cut_off
    return Observed(classifier.trainable, details)
