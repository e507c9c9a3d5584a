"""Numbers with a range or a unit, as a spec writes them."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

PositiveInt = Annotated[int, Meta(ge=1)]
Fraction = Annotated[float, Meta(ge=0, le=1)]
RARE = "rare"
"""Key of `Meta(extra=...)`: where what a check observes seldom gets, so that a limit there is likely a mistake."""
Count = Annotated[int, Meta(ge=0, extra={RARE: 1_000_000})]
Amount = Annotated[float, Meta(ge=0, extra={RARE: 10**9})]
Relative = Annotated[float, Meta(ge=0, extra={RARE: 10})]
Dtype = Literal["float32", "float64", "bfloat16", "float16"]
Duration = Annotated[
    str,
    Meta(
        pattern=r"^[0-9]{1,9}(\.[0-9]{1,9})?(ms|s|m|h)$",
        description="A duration with its unit: 500ms, 90s, 10m, 1h.",
        examples=["90s", "10m"],
    ),
]
Size = Annotated[
    str,
    Meta(
        pattern=r"^[1-9][0-9]{0,8}(\.[0-9]{1,9})?(MB|GB)$",
        description="A size with its unit, a power of ten: 500MB, 8GB.",
        examples=["500MB", "8GB"],
    ),
]
_SECONDS = {"ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_BYTES = {"MB": 1_000_000, "GB": 1_000_000_000}


def seconds(duration: Duration) -> float:
    """Return a duration such as `90s` or `1.5h` in seconds."""
    number = duration.rstrip("smh")
    return float(number) * _SECONDS[duration[len(number) :]]


def bytes_of(size: Size) -> int:
    """Return a size such as `500MB` or `1.5GB` in bytes."""
    return round(float(size[:-2]) * _BYTES[size[-2:]])
