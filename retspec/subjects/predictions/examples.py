"""The names of the images that a model is most wrong about: only where a spec asks, since they may be of patients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

Examples = Annotated[
    int,
    Meta(
        ge=0,
        le=1000,
        description="How many of the worst images the details name; none by default, since names may be of patients.",
    ),
]


def furthest(
    names: Sequence[str], errors: NDArray[np.float64], examples: int, *, title: str
) -> dict[str, dict[str, float]]:
    """Return the names with the largest errors and these, as details under a title; nothing unless asked for.

    errors: shape (names,), positive for a wrong one; others are not listed.
    """
    import numpy as np

    if not examples:
        return {}
    places = np.argsort(-errors, kind="stable")[:examples]
    return {title: {names[place]: float(f"{errors[place]:.4g}") for place in places if errors[place] > 0}}
