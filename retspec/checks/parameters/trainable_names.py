"""`trainable_names`."""

from __future__ import annotations

import re
from typing import Annotated

from msgspec import Meta

from retspec.facts import Parameters
from retspec.plugin import Inconclusive, Observed, check


@check(
    direction="equal",
    unit="parameters outside",
    default_limit=0,
    shorthand="patterns",
    advice="Freeze the parameters named in the details, or add a pattern for them if they are meant to train.",
)
def trainable_names(
    parameters: Parameters,
    *,
    patterns: Annotated[
        list[str],
        Meta(
            min_length=1,
            description="Regular expressions; a parameter is expected where one is found in its name.",
        ),
    ],
) -> Observed[int]:
    """Do only the intended parameters train?

    Why it matters:
        A count can be right by accident. Names show what really trains: a base layer that was left unfrozen has a name
        that no pattern expects.

    Example:
        trainable_names: [lora_, head]

    What the number means:
        Trainable parameter tensors whose name matches none of the patterns. Under peft a saved head is called
        `...head.modules_to_save.default.weight`, an adapter `...lora_A.default.weight`.
    """
    names = [parameter.name for parameter in parameters.trainable]
    if not names:
        raise Inconclusive("no parameter trains at all, so none can be outside the patterns")
    if all(_is_found(patterns, parameter.name) for parameter in parameters.parameters):
        raise Inconclusive("the patterns match every parameter of the model, so none can be outside them")
    outside = [name for name in names if not _is_found(patterns, name)]
    unused = [pattern for pattern in patterns if not any(re.search(pattern, name) for name in names)]
    return Observed(len(outside), {"outside": outside, "patterns that match nothing": unused})


def _is_found(patterns: list[str], name: str) -> bool:
    return any(re.search(pattern, name) for pattern in patterns)
