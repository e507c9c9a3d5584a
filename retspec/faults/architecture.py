"""Faults of the architecture: a model that is not the one that was meant. They need no weights."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from retspec.errors import DoesNotApply
from retspec.faults import Frequency, fault

if TYPE_CHECKING:
    from retspec.records import Spec

_TIMM = "timm"
_CLASSES, _PATCH = "num_classes", "patch_size"
_OF_IMAGENET = 1000
_USUAL_PATCH = "_patch16_"


def _with_kwargs(spec: Spec, **kwargs: object) -> Spec:
    """Return a spec whose model of timm is built with other arguments; raises DoesNotApply for another model."""
    model = spec.model
    if model is None or model.source != _TIMM:
        raise DoesNotApply("the model is not one of timm by its name")
    given = model.arguments.get("kwargs") or {}
    return replace(spec, model=replace(model, arguments={**model.arguments, "kwargs": {**given, **kwargs}}))


@fault(families="parameters", noticed_by="output_shape", frequency=Frequency.OFTEN)
def classes_of_imagenet(spec: Spec) -> Spec:
    """The head has the classes of ImageNet."""
    given = {} if spec.model is None else spec.model.arguments.get("kwargs") or {}
    if given.get(_CLASSES, _OF_IMAGENET) == _OF_IMAGENET:
        raise DoesNotApply("the spec gives no `num_classes` of its own")
    return _with_kwargs(spec, num_classes=_OF_IMAGENET)


@fault(families="parameters", noticed_by="patch_count sequence_length", frequency=Frequency.SOMETIMES)
def other_patch_size(spec: Spec) -> Spec:
    """The patches are twice as large as those of the model that was meant."""
    named = "" if spec.model is None else str(spec.model.value)
    given = {} if spec.model is None else spec.model.arguments.get("kwargs") or {}
    if _USUAL_PATCH not in named or _PATCH in given:
        raise DoesNotApply("the model is no ViT with patches of 16 pixels")
    return _with_kwargs(spec, patch_size=32)
