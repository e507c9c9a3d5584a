"""`model: {timm: NAME, kwargs: {...}}`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from msgspec import Meta

from retspec.errors import SubjectError, did_you_mean
from retspec.plugin import model_source

if TYPE_CHECKING:
    from torch import nn


@model_source
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
            f"timm.create_model({name!r}) refuses its kwargs: {type(error).__name__}: {error}",
            path="model.kwargs",
        ) from error
    return model
