"""How several checkpoint checks read the keys of a `Loading`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

if TYPE_CHECKING:
    from collections.abc import Iterable

Allow = Annotated[list[str], Meta(description="Regular expressions; a key in which one is found does not count.")]


def not_allowed(keys: Iterable[str], allow: list[str]) -> list[str]:
    """Return the keys in which none of the patterns is found."""
    return [key for key in keys if not any(re.search(pattern, key) for pattern in allow)]
