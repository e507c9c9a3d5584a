"""Faults of what trains: the wrong parameters are frozen, or free."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from retspec.errors import DoesNotApply
from retspec.facts import Group
from retspec.faults import Frequency, fault
from retspec.faults._reading import adapter_of, frozen, frozen_base, layers_of, trained

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import nn

    from retspec.records import Lora, Spec

_LEARNT = "learning numerics"
_EVERY_LAYER = "all-linear"
"""What peft calls them."""


def lora_of(spec: Spec) -> Lora:
    """Return the section `model.lora`; raises DoesNotApply without one."""
    if spec.model is None or spec.model.lora is None:
        raise DoesNotApply("the spec has no `model.lora`")
    return spec.model.lora


def with_lora(spec: Spec, **changes: object) -> Spec:
    """Return a spec with other values under `model.lora`; raises DoesNotApply without that section."""
    lora = replace(lora_of(spec), **changes)  # type: ignore[arg-type]
    return replace(spec, model=replace(spec.model, lora=lora))  # type: ignore[type-var]


@fault(
    families=f"parameters {_LEARNT}",
    noticed_by="min_trainable_params adapter_effect",
    frequency=Frequency.OFTEN,
    of_training=True,
)
def adapter_frozen(model: nn.Module) -> Iterator[None]:
    """The adapter is frozen after wrapping, and the head alone trains."""
    with frozen(adapter_of(model)):
        yield


@fault(
    families=f"parameters {_LEARNT}",
    noticed_by="head_trainable min_trainable_params",
    frequency=Frequency.OFTEN,
    of_training=True,
)
def head_not_saved(spec: Spec) -> Spec:
    """`modules_to_save` does not name the head, which stays as it was initialized."""
    if not lora_of(spec).modules_to_save:
        raise DoesNotApply("the spec saves no module beside the adapter")
    return with_lora(spec, modules_to_save=[])


@fault(
    families=f"parameters {_LEARNT}",
    noticed_by="head_trainable min_trainable_params unchanged_params",
    of_training=True,
)
def head_frozen(model: nn.Module) -> Iterator[None]:
    """The head is frozen together with the base."""
    with frozen(trained(model, Group.HEAD)):
        yield


@fault(families=f"parameters {_LEARNT}", noticed_by="min_trainable_params head_trainable", of_training=True)
def everything_frozen(model: nn.Module) -> Iterator[None]:
    """Everything is frozen after wrapping."""
    if not any(parameter.requires_grad for parameter in model.parameters()):
        raise DoesNotApply("nothing trains anyhow")
    with frozen(model.parameters()):
        yield


@fault(
    families="parameters numerics",
    noticed_by="trainable_names max_trainable_params",
    frequency=Frequency.OFTEN,
    of_training=True,
)
def base_unfrozen(model: nn.Module) -> Iterator[None]:
    """A part of the base trains along with the adapter."""
    parameter = next((each for each in frozen_base(model) if each.is_floating_point()), None)
    if parameter is None:
        raise DoesNotApply("no frozen parameter could train")
    parameter.requires_grad = True
    yield
    parameter.requires_grad = False


@fault(families=f"parameters {_LEARNT}", noticed_by="min_trainable_params", of_training=True)
def later_layers_frozen(model: nn.Module) -> Iterator[None]:
    """The adapter trains in its first layer alone."""
    later = [parameter for layer in layers_of(model)[1:] for parameter in layer.parameters()]
    if not any(parameter.requires_grad for parameter in later):
        raise DoesNotApply("one layer has an adapter")
    with frozen(later):
        yield


@fault(
    families="parameters",
    noticed_by="max_trainable_params max_trainable_fraction",
    frequency=Frequency.OFTEN,
    of_training=True,
)
def base_trains_whole(model: nn.Module) -> Iterator[None]:
    """The base trains as a whole along with the adapter."""
    free = [each for each in frozen_base(model) if each.is_floating_point()]
    for parameter in free:
        parameter.requires_grad = True
    yield
    for parameter in free:
        parameter.requires_grad = False


@fault(families="parameters", noticed_by="lora_layers max_trainable_params", frequency=Frequency.OFTEN)
def more_layers_adapted(spec: Spec) -> Spec:
    """`target_modules` matches every linear layer of the model."""
    if lora_of(spec).target_modules == _EVERY_LAYER:
        raise DoesNotApply("the spec adapts every linear layer")
    return with_lora(spec, target_modules=_EVERY_LAYER)


@fault(families=f"parameters {_LEARNT} predictions", noticed_by="lora_scaling", frequency=Frequency.SOMETIMES)
def scale_forgotten(spec: Spec) -> Spec:
    """`lora_alpha` is a thousand times too large."""
    return with_lora(spec, alpha=1000 * lora_of(spec).alpha)


@fault(
    families="parameters learning numerics",
    noticed_by="trainable_dtype",
    frequency=Frequency.SOMETIMES,
    of_training=True,
)
def adapter_in_half(model: nn.Module) -> Iterator[None]:
    """The adapter is kept in float16, in which small steps round to nothing."""
    import torch

    layers_of(model)
    parameters = [each for each in adapter_of(model) if each.dtype == torch.float32]
    if not parameters:
        raise DoesNotApply("the adapter is in another dtype than float32")
    before = [parameter.data for parameter in parameters]
    for parameter in parameters:
        parameter.data = parameter.data.half()
    yield
    for parameter, data in zip(parameters, before, strict=True):
        parameter.grad = None
        parameter.data = data
