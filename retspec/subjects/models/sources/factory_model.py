"""`model: {factory: "package.module:callable", kwargs: {...}}`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from msgspec import Meta

from retspec.errors import SubjectError
from retspec.plugin import model_source
from retspec.subjects.callables import call, load_callable

if TYPE_CHECKING:
    from torch import nn

PATH = "model.factory"
Reference = Annotated[
    str,
    Meta(
        pattern=r"^[\w.]+:\w+(\.\w+)*$",
        description="A callable as package.module:callable, importable where the spec lies or installed; a method "
        "as package.module:Class.method.",
        examples=["my_project.models:build"],
    ),
]


@model_source
def factory(
    reference: Reference,
    *,
    kwargs: Annotated[dict[str, Any], Meta(description="Passed to the callable.")] = {},  # noqa: B006 - read only
) -> nn.Module:
    """Build a model with your callable, which returns any `torch.nn.Module`."""
    from torch import nn

    function = load_callable(reference, path=PATH)
    built = call(reference, function, dict(kwargs), path=PATH, kwargs_path="model.kwargs")
    if not isinstance(built, nn.Module):
        raise SubjectError(
            f"{reference} returned {type(built).__name__}; it must return a torch.nn.Module",
            path=PATH,
        )
    return built
