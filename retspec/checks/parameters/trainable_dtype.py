"""`trainable_dtype`."""

from __future__ import annotations

from retspec.facts import Parameters
from retspec.plugin import Inconclusive, Observed, check


@check(
    direction="equal",
    default_limit="float32",
    advice="Cast what trains to float32 after wrapping the model; leave the frozen base in half precision and let "
    "autocast do the rest.",
)
def trainable_dtype(parameters: Parameters) -> Observed[str]:
    """What precision do the trained weights have?

    Why it matters:
        bfloat16 has 8 significant bits: an update of one part in a thousand rounds to nothing, and the weight never
        moves (https://arxiv.org/abs/2010.06192). peft keeps adapters in float32 over a base in half precision, but a
        saved head stays in half precision.

    Example:
        trainable_dtype: float32

    What the number means:
        The dtype of all trainable parameters; several are named together, as in `float16, float32`. Under AMP trainable
        weights must not be float16 (https://huggingface.co/docs/peft/developer_guides/troubleshooting).
    """
    by_dtype: dict[str, list[str]] = {}
    for parameter in parameters.trainable:
        by_dtype.setdefault(parameter.dtype, []).append(parameter.name)
    if not by_dtype:
        raise Inconclusive("no parameter trains, so none has a precision")
    return Observed(", ".join(sorted(by_dtype)), by_dtype)
