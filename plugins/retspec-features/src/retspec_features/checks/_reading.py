"""What the three checks share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

if TYPE_CHECKING:
    from retspec_features.facts import Features

Share = Annotated[float, Meta(ge=0, le=1)]


def origin(features: Features) -> dict[str, object]:
    """Return what the features were measured on, as details."""
    return {"images": features.images, "features": features.width, "before": features.head}
