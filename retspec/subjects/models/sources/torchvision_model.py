"""`model: {torchvision: NAME, kwargs: {...}}`, and what torchvision knows of its models.

A model is recognised by the module of its class, `torchvision.models.*`, so that one that a factory builds is known as
well. How its images become tensors is known only of a name: see https://docs.pytorch.org/vision/stable/models.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from msgspec import Meta

from retspec.errors import SubjectError, did_you_mean
from retspec.plugin import ModelLibrary, model_source

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import nn

PLACE = "model.torchvision"
_HEADS = ("fc", "classifier", "heads", "head")
"""What torchvision's classifiers call their last part."""
_WEIGHTS = ("weights", "weights_backbone", "pretrained")
_MARK = "_retspec_torchvision_name"


def _ours(model: nn.Module) -> Any:
    """Return the outermost classifier of torchvision in a model, or None."""
    return next((module for module in model.modules() if _is_ours(module)), None)


def _is_ours(module: nn.Module) -> bool:
    is_named = any(kind.__module__.startswith("torchvision.models.") for kind in type(module).__mro__)
    return is_named and any(hasattr(module, name) for name in _HEADS)


def _input_size(model: nn.Module) -> tuple[int, ...] | None:
    """Return (channels, height, width) in pixels: of the model where it is built for one size, else of its weights."""
    found = _ours(model)
    side = getattr(found, "image_size", None)
    if isinstance(side, int):
        return (3, side, side)
    stated = None if found is None else _preprocessing(found)
    return None if stated is None else tuple(stated["input_size"])


def _classifier(module: nn.Module) -> nn.Module | None:
    """Return the last linear layer or convolution of the part that torchvision calls `fc`, `classifier` or `heads`."""
    from torch import nn

    if not _is_ours(module):
        return None
    head = next(getattr(module, name) for name in _HEADS if hasattr(module, name))
    layers = [part for part in head.modules() if isinstance(part, (nn.Linear, nn.Conv2d))]
    return layers[-1] if layers else None


def _preprocessing(model: nn.Module) -> Mapping[str, Any] | None:
    """Return how the images become tensors that the best weights of this name were made with; nothing is downloaded."""
    name = getattr(_ours(model), _MARK, None)
    if name is None:
        return None
    from torchvision.models import get_model_weights

    weights: Any = get_model_weights(name)
    if not len(weights):
        return None
    preset = weights.DEFAULT.transforms()
    side, resized = preset.crop_size[0], preset.resize_size[0]
    return {
        "input_size": (len(preset.mean), side, side),
        "mean": tuple(preset.mean),
        "std": tuple(preset.std),
        "interpolation": preset.interpolation.value,
        "crop_pct": min(1.0, side / resized),
        "crop_mode": "center",
    }


TORCHVISION = ModelLibrary(
    imports=("torchvision",),
    distributions=("torchvision",),
    input_size=_input_size,
    classifier=_classifier,
    preprocessing=_preprocessing,
)


@model_source(library=TORCHVISION)
def torchvision(
    name: Annotated[str, Meta(min_length=1, description="Name of a torchvision classifier.", examples=["resnet50"])],
    *,
    kwargs: Annotated[dict[str, Any], Meta(description="Passed to the model's builder.")] = {},  # noqa: B006 - read only
) -> nn.Module:
    """Build an image classifier by its torchvision name, with random weights."""
    from torchvision import models

    known = models.list_models(module=models)
    if name not in known:
        raise SubjectError(f"torchvision has no classifier {name!r}{did_you_mean(name, known)}", path=PLACE)
    if asked := [key for key in _WEIGHTS if kwargs.get(key)]:
        raise SubjectError(
            f"{asked[0]} would be downloaded, which this key never does; name their file as `checkpoint`",
            path="model.kwargs",
        )
    try:
        model: nn.Module = models.get_model(name, **{"weights": None, **kwargs})
    except (TypeError, ValueError, RuntimeError, AssertionError) as error:
        raise SubjectError(
            f"torchvision's {name} refuses its kwargs: {type(error).__name__}: {error}", path="model.kwargs"
        ) from error
    setattr(model, _MARK, name)
    return model
