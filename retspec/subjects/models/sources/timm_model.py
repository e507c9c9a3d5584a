"""`model: {timm: NAME, kwargs: {...}}`, and what timm knows of its models.

A model is recognised by timm's conventions, not by its type, so that a user's class that follows them works too:
`pretrained_cfg`, `get_classifier()`, `set_grad_checkpointing()`; see https://huggingface.co/docs/timm/reference/models
"""

from __future__ import annotations

import inspect
import re
import sys
import traceback
from typing import TYPE_CHECKING, Annotated, Any

from msgspec import Meta

from retspec.errors import SubjectError, did_you_mean
from retspec.plugin import ModelLibrary, model_source

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch import Tensor, nn


def _input_size(model: nn.Module) -> tuple[int, ...] | None:
    """Return (channels, height, width) in pixels: of the patch embedding, else of the pretraining; None if unknown."""
    from torch import nn

    inner = next((module for module in model.modules() if hasattr(module, "pretrained_cfg")), model)
    configured = (getattr(inner, "pretrained_cfg", None) or {}).get("input_size")
    size = getattr(getattr(inner, "patch_embed", None), "img_size", None) or (configured or ())[1:]
    first = next((module for module in inner.modules() if isinstance(module, nn.Conv2d)), None)
    if not size or first is None:
        return None
    return (first.in_channels, *size)


def _classifier(module: nn.Module) -> nn.Module | None:
    from torch import nn

    get = getattr(module, "get_classifier", None)
    classifier = get() if callable(get) else None
    return classifier if isinstance(classifier, nn.Module) else None


def _preprocessing(model: nn.Module) -> Mapping[str, Any] | None:
    return getattr(model, "pretrained_cfg", None) or None


def _grad_checkpointing(model: nn.Module) -> Callable[[], None] | None:
    method = getattr(model, "set_grad_checkpointing", None)
    if not callable(method):
        return None

    def switch() -> None:
        try:
            method(True)  # noqa: FBT003 - its parameter has another name in every library
        except AssertionError as error:  # how timm refuses for an architecture without it
            raise SubjectError(f"{type(model).__name__} refuses: {error}", path="train.grad_checkpointing") from error

    return switch


def _convert_state_dict(weights: Mapping[str, Tensor], model: nn.Module) -> Mapping[str, Tensor] | None:
    """Convert with the `checkpoint_filter_fn` in the module of the model's class, or of its nearest base class.

    See https://github.com/huggingface/pytorch-image-models/blob/main/timm/models/vision_transformer.py
    """
    modules = [kind.__module__ for kind in type(model).__mro__ if kind.__module__.startswith("timm.models.")]
    found = (getattr(sys.modules[name], "checkpoint_filter_fn", None) for name in modules)
    convert: Callable[..., Mapping[str, Tensor]] | None = next((each for each in found if each is not None), None)
    return None if convert is None else convert(dict(weights), model)


TIMM = ModelLibrary(
    imports=("timm",),
    distributions=("timm",),
    input_size=_input_size,
    classifier=_classifier,
    preprocessing=_preprocessing,
    grad_checkpointing=_grad_checkpointing,
    convert_state_dict=_convert_state_dict,
)


@model_source(library=TIMM)
def timm(
    name: Annotated[str, Meta(description="Name of a timm model.", examples=["vit_large_patch16_224"])],
    *,
    kwargs: Annotated[dict[str, Any], Meta(description="Passed to `timm.create_model`.")] = {},  # noqa: B006 - read only
) -> nn.Module:
    """Build a model by its timm name; weights are random unless `kwargs` asks for pretrained ones."""
    import timm as library

    if not library.is_model(name.partition("/")[2] or name):
        raise SubjectError(
            f"timm {library.__version__} has no model {name!r}{did_you_mean(name, library.list_models())}",
            path="model.timm",
        )
    try:
        model: nn.Module = library.create_model(name, **kwargs)
    except (TypeError, ValueError, RuntimeError, AssertionError) as error:
        raise SubjectError(
            f"timm.create_model({name!r}) refuses its kwargs: {type(error).__name__}: {error}{_near(error)}",
            path="model.kwargs",
        ) from error
    return model


def _near(error: Exception) -> str:
    """Return the nearest argument of the class that refuses one; timm's builder knows the class as `model_cls`.

    See https://github.com/huggingface/pytorch-image-models/blob/main/timm/models/_builder.py
    """
    refused = re.search(r"got an unexpected keyword argument '(\w+)'", str(error))
    kinds = (frame.f_locals.get("model_cls") for frame, _ in traceback.walk_tb(error.__traceback__))
    kind = next(filter(inspect.isclass, kinds), None)
    return did_you_mean(refused[1], inspect.signature(kind).parameters) if refused and kind else ""
