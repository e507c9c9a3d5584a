"""Which libraries a worker needs: they take seconds to import, so none is imported in vain, or later than possible."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

ADAPTERS = frozenset({"lora", "adapter"})


def libraries_for(model: Collection[str]) -> tuple[str, ...]:
    """Return what to import for a model section that has these keys.

    A factory imports by itself what it builds its model with; every other source is taken to build on timm.
    """
    architectures = () if "factory" in model else ("timm",)
    adapters = ("peft",) if ADAPTERS.intersection(model) else ()
    return ("torch", *architectures, *adapters)
