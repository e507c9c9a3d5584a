"""`${a.b}` and `${oc.env:X}` in a training config: OmegaConf resolves them, and is imported only where one occurs.

One that cannot be resolved here, such as `${now:%Y}`, which Hydra alone knows, is an error only where a spec
refers to it.
"""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from retspec.characters import quoted
from retspec.errors import Problem, SpecError
from retspec.spec.load.tree import MAX_DEPTH, MAX_NODES, Node

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from retspec.spec.document import Place

MISSING = "???"
"""How OmegaConf spells a value that must be given."""
_EXTRA = "pip install 'retspec[omegaconf]'"
_ENVIRONMENT = re.compile(r"\$\{\s*oc\.env\s*:\s*(?P<name>[A-Za-z_]\w*)?")
_NOT_COMPOSED = (
    "; the `defaults` list of Hydra is not composed here: write the composed config to a file "
    "(`python train.py --cfg job --resolve > composed.yaml`) and name that"
)


def interpolate(root: Node) -> Node:
    """Return the tree of a config with its interpolations replaced; what cannot be carries its obstacle.

    Raises `SpecError` for interpolations while OmegaConf is not installed, and for those that multiply beyond reason.
    """
    first = next((node for node in _texts(root) if _is_interpolation(node)), None)
    resolved = _resolved(root, _value_of(root, first) if first else None)
    if resolved.size > MAX_NODES or resolved.height > MAX_DEPTH:
        raise SpecError([Problem(root.mark, "the interpolations of the config multiply or nest beyond reason")])
    return resolved


def environment_names(root: Node) -> Iterator[str | None]:
    """Yield the environment variables that a config reads, None for one whose name it makes up on the way."""
    for node in _texts(root):
        for match in _ENVIRONMENT.finditer(str(node.value)):
            yield match["name"]


def not_composed(root: Node) -> str:
    """Return the hint for what a config lacks that has a `defaults` list of Hydra, or an empty string."""
    defaults = root.value.get("defaults") if isinstance(root.value, dict) else None
    return _NOT_COMPOSED if defaults and isinstance(defaults.value, tuple) else ""


def obstacles(node: Node, place: Place = ()) -> Iterator[tuple[Place, Node]]:
    """Yield every value at or below a node that nothing can refer to."""
    if node.obstacle:
        yield place, node
    for key, child in node.children:
        yield from obstacles(child, (*place, key))


def _texts(node: Node) -> Iterator[Node]:
    if isinstance(node.value, str):
        yield node
    for _, child in node.children:
        yield from _texts(child)


def _is_interpolation(node: Node) -> bool:
    return isinstance(node.value, str) and "${" in node.value


def _value_of(root: Node, first: Node) -> Callable[[Place], Any]:
    """Return what gives the value at a place of the config; it raises LookupError or ValueError, as `Omega.value`."""
    try:
        from retspec.spec.load.omega import Omega  # noqa: PLC0415 - OmegaConf is an optional extra, and slow to import
    except ImportError:
        message = f"{quoted(str(first.value))} is an interpolation, which OmegaConf reads; install it: {_EXTRA}"
        raise SpecError([Problem(first.mark, message)]) from None
    return Omega(root).value


def _resolved(root: Node, value_of: Callable[[Place], Any] | None) -> Node:
    hint = not_composed(root)

    def below(node: Node, place: Place) -> Node:
        if isinstance(node.value, dict):
            return replace(node, value={key: below(child, (*place, key)) for key, child in node.value.items()})
        if isinstance(node.value, tuple):
            items = enumerate(node.value)
            return replace(node, value=tuple(below(child, (*place, index)) for index, child in items))
        if value_of is None or not _is_interpolation(node):
            return _as_node(node.value, node)
        try:
            return _as_node(value_of(place), node)
        except (LookupError, ValueError) as reason:
            lacks = hint if isinstance(reason, LookupError) else ""
            text = quoted(str(node.value))
            return replace(node, obstacle=f"is {text}, which cannot be resolved: {reason}{lacks}")

    return below(root, ())


def _as_node(value: Any, at: Node) -> Node:
    """Return plain data as a tree in place of the interpolation."""
    if isinstance(value, dict):
        return replace(at, value={str(key): _as_node(child, at) for key, child in value.items()})
    if isinstance(value, list):
        return replace(at, value=tuple(_as_node(child, at) for child in value))
    if value is None or isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return replace(at, value=value)
    text = str(value)
    if text == MISSING:
        return replace(at, value=text, obstacle=f"is {MISSING}, a value that must be given")
    if text.encode(errors="replace").decode() != text:  # from the environment
        return replace(at, value="", obstacle="is text that is not UTF-8")
    return replace(at, value=text)
