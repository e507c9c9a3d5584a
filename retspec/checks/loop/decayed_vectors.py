"""`decayed_vectors`."""

from __future__ import annotations

from retspec.facts import Loop
from retspec.plugin import Count, Observed, check


@check(
    direction="at most",
    unit="parameters",
    default_limit=0,
    advice="Give biases and norm scales a parameter group with `weight_decay=0`, chosen by `parameter.ndim < 2`, not "
    "by name. Many recipes do decay them: then leave the check out, or set `severity: warn`.",
)
def decayed_vectors(loop: Loop) -> Observed[Count]:
    """Are biases and norm scales left out of weight decay?

    Why it matters:
        Decay pulls the scale of a normalization layer to zero, and what it regularizes is only the step size. To leave
        out biases and norms is a common recipe (section 3.1 of https://arxiv.org/abs/1812.01187). Where names choose
        the groups, a name that matches nothing decays them silently
        (https://github.com/huggingface/transformers/pull/35927).

    Example:
        decayed_vectors: {limit: 0, severity: warn}

    What the number means:
        Parameters of one dimension in groups with a weight decay above zero. The details list norm scales, biases
        and others apart. Where biases are left out and norm scales are not, a match by name has failed, as a rule.
    """
    steps = loop.extent
    groups = [group for optimizer in loop.optimizers for group in optimizer.groups]
    decayed = {name for group in groups if group.weight_decay > 0 for name in group.parameters}
    vectors = [name for name in loop.vectors if name in decayed]
    scales = [name for name in vectors if name in set(loop.scales)]
    biases = [name for name in vectors if name.endswith("bias")]
    others = [name for name in vectors if name not in {*scales, *biases}]
    details: dict[str, object] = {"norm scales": scales, "biases": biases, "others": others}
    if scales and not biases and any(name.endswith("bias") for name in loop.vectors):
        details["note"] = "biases are left out and norm scales are not: a match by name has failed, as a rule"
    return Observed(len(vectors), {**details, "vectors": len(loop.vectors), **steps})
