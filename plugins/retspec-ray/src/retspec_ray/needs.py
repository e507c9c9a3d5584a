"""Whether any node can ever take a task: Ray alone would let it wait without a word."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from retspec_ray.records import Needs

_WORDS = {"CPU": "cores", "GPU": "gpus", "memory": "bytes of memory"}


def lacking(needs: Needs, nodes: Iterable[Mapping[str, Any]]) -> str:
    """Return what no node of the cluster has enough of, or an empty string; a node may still join."""
    present = [node["Resources"] for node in nodes if node["Alive"]]
    wanted = {name: amount for name, amount in needs.quantities.items() if amount}
    if any(all(node.get(name, 0) >= amount for name, amount in wanted.items()) for node in present):
        return ""
    said = ", ".join(f"{_WORDS[name]}: {amount:.0f}" for name, amount in wanted.items())
    return f"no node of the cluster has {said}"
