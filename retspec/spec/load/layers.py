"""A criterion whose two forms are laid over each other: `loss_drop: 0.5`, and `loss_drop: {tags: [fast]}`.

Only its check knows whether the short form is a limit or an argument. The catalog is not known yet, so that both are
kept, one over the other, and `validate` makes one long form of them.
"""

from __future__ import annotations

from dataclasses import replace

from retspec.spec.document import CHECKS, LAYERS, RUNNER_KEYS
from retspec.spec.load.tree import Node


def layered(under: Node, over: Node, place: tuple[str, ...]) -> Node | None:
    """Return both forms of a criterion, or None where there is no criterion or only one form of it."""
    is_criterion = place[:1] == (CHECKS,) and len(place) == len((CHECKS, "id"))
    if not is_criterion or under.faulty or over.faulty or under.value is None or over.value is None:
        return None
    layers = _layers(under)
    if len(layers) == 1 and _form(under) == _form(over):
        return None
    return replace(over, value={LAYERS: Node((*layers, over), over.mark)})


def _layers(node: Node) -> tuple[Node, ...]:
    held = node.value.get(LAYERS) if isinstance(node.value, dict) else None
    return held.value if held is not None and isinstance(held.value, tuple) else (node,)


def _form(node: Node) -> str:
    if not isinstance(node.value, dict):
        return "value"
    return "long" if {*node.value} <= {*RUNNER_KEYS} else "mapping"
