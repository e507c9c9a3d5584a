"""`retfound_preprocessing`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta
from retspec.plugin import Count, Observed, check

from retspec_retfound.contracts import CONTRACTS, Backbone, Contract

if TYPE_CHECKING:
    from retspec.facts import Pipeline

Aspect = Literal["size", "mean", "std", "aspect", "crop", "interpolation"]
ROUNDING = 0.005
"""Images have 256 levels: a mean or deviation that was measured on them is known to about 1/256."""
CROP_ROUNDING = 0.02
"""Of a crop that was measured in pixels."""


@check(
    direction="at most",
    unit="deviations",
    default_limit=0,
    shorthand="backbone",
    advice="Use the transform of the backbone, `retspec_retfound.transforms:large` (or `dinov2`, `green`), or change "
    "what the details name; list intended differences in `with: {ignore: [...]}`.",
)
def retfound_preprocessing(
    pipeline: Pipeline,
    *,
    backbone: Backbone,
    ignore: Annotated[list[Aspect], Meta(description="What may differ from the backbone's training.")] = [],  # noqa: B006 - read only
) -> Observed[Count]:
    """Are images prepared as they were when the backbone was trained?

    Why it matters:
        The backbones disagree with each other and with timm's defaults: timm normalizes plain `vit_large_patch16_224`
        with 0.5, but RETFound was trained with ImageNet's statistics; Green's architecture comes with those and 518
        pixels, but Green was trained with 0.5 and 392. Nothing fails; the features are only worse.

    Example:
        retfound_preprocessing: large

    What the number means:
        Aspects of the evaluation pipeline, measured by sending probe images through it, that differ from the
        backbone's: size, mean, std, whether the aspect ratio is kept, the share that a crop leaves, interpolation.
    """
    deviations = _deviations(pipeline, CONTRACTS[backbone])
    found = {str(aspect): text for aspect, text in deviations.items() if aspect not in ignore}
    return Observed(len(found), {**found, "ignored": list(ignore)})


def _deviations(pipeline: Pipeline, contract: Contract) -> dict[Aspect, str]:
    """Return a sentence for everything that differs."""
    size = (3, contract.input_size, contract.input_size)
    kept = {True: "keeps the aspect ratio", False: "scales both sides apart"}
    found: dict[Aspect, str] = {}
    if tuple(pipeline.output_size) != size:
        found["size"] = _instead(pipeline.output_size, size)
    if _differ(pipeline.mean, contract.mean):
        found["mean"] = _instead(pipeline.mean, contract.mean)
    if _differ(pipeline.std, contract.std):
        found["std"] = _instead(pipeline.std, contract.std)
    if pipeline.keeps_aspect != contract.keeps_aspect:
        found["aspect"] = f"{kept[pipeline.keeps_aspect]}; it {kept[contract.keeps_aspect]} in training"
    if abs(pipeline.cropped - contract.crop) > CROP_ROUNDING:
        found["crop"] = f"leaves {pipeline.cropped:.3f} of the shorter side instead of {contract.crop}"
    if pipeline.interpolation not in {None, contract.interpolation}:
        found["interpolation"] = _instead(pipeline.interpolation, contract.interpolation)
    return found


def _differ(one: tuple[float, ...], two: tuple[float, ...]) -> bool:
    return len(one) != len(two) or any(abs(a - b) > ROUNDING for a, b in zip(one, two, strict=True))


def _instead(found: object, expected: object) -> str:
    shown = tuple(round(value, 3) for value in found) if isinstance(found, tuple) else found
    return f"{shown} instead of {expected}"
