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
    """In which precision are the trained weights kept?

    Why it matters:
        An update of one part in a thousand rounds to nothing in bfloat16: the weight never moves. peft keeps adapters
        in float32 over a half base, but a saved head stays in half precision.

    Example:
        trainable_dtype: float32

    What the number means:
        The dtype of all trainable parameters; several are named together, as in `float16, float32`.
    """
    by_dtype: dict[str, list[str]] = {}
    for parameter in parameters.trainable:
        by_dtype.setdefault(parameter.dtype, []).append(parameter.name)
    if not by_dtype:
        raise Inconclusive("no parameter trains, so none has a precision")
    return Observed(", ".join(sorted(by_dtype)), by_dtype)
