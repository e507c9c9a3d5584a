"""Which libraries a worker needs: imports take seconds, so it imports only these, and as early as possible."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from retspec.plugins.kinds import Source

ADAPTERS = frozenset({"lora", "peft", "adapter"})


def libraries_for(model: Collection[str], sources: Mapping[str, Source]) -> tuple[str, ...]:
    """Return the modules to import for a model section that has these keys.

    A source declares the library that it builds its models with. A factory imports its own.
    """
    architectures = [name for key in sorted(model) if key in sources for name in sources[key].library.imports]
    adapters = ("peft",) if ADAPTERS.intersection(model) else ()
    return ("torch", *architectures, *adapters)
