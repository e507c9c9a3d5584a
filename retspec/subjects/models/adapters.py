"""Switch adapters off, or remove them, temporarily."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from retspec.errors import NoVerdict
from retspec.subjects.models.own_adapters import own_adapters
from retspec.subjects.models.structure import adapted_layers, adapter_parameters, tuner
from retspec.text.wording import listing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from torch import Tensor, nn

Weights = dict[str, dict[str, "Tensor"]]
"""Tensors by the name of a layer, and by their own name in it."""
SPREAD = 0.02
"""Standard deviation of the values that replace zero factors: they change the output by a few percent."""


def require_switch(model: nn.Module) -> None:
    """Raise NoVerdict for a model whose adapters cannot be switched off, and what `tuner` raises without any."""
    own = own_adapters(model)
    if stuck := [name for name, adapter in own.items() if not adapter.is_low_rank]:
        raise NoVerdict(
            "only adapters of peft, and factors of low rank beside a frozen weight, can be switched off: "
            f"{listing([name or 'the model itself' for name in stuck])} has others"
        )
    if not own:
        tuner(model)


@contextmanager
def adapters_off(model: nn.Module) -> Iterator[None]:
    """Let the adapted layers compute what their base layers do.

    Unlike `PeftModel.disable_adapter`, this keeps a saved head in place, so that only the adapter makes a difference.
    The factors of adapters that are not peft's are zero meanwhile.
    """
    layers = [layer for layer in adapted_layers(model).values() if not layer.disable_adapters]
    factors = [factor for own in own_adapters(model).values() for factor in own.factors]
    before = [factor.detach().clone() for factor in factors]
    # By name: the attention that peft adapts registers new parameters, https://github.com/huggingface/peft/pull/1324
    trainable = {name: parameter.requires_grad for name, parameter in model.named_parameters()}
    try:
        for layer in layers:
            layer.enable_adapters(enabled=False)
        for factor in factors:
            factor.data.zero_()
        yield
    finally:
        for factor, value in zip(factors, before, strict=True):
            factor.data.copy_(value)
        for layer in layers:
            layer.enable_adapters(enabled=True)
        for name, parameter in model.named_parameters():
            parameter.requires_grad_(trainable.get(name, parameter.requires_grad))


@contextmanager
def base_layers_alone(model: nn.Module) -> Iterator[None]:
    """Call the base layers alone, as after `merge_and_unload`: a layer that was not merged loses its update.

    Their hooks run too: the old `weight_norm` computes the weight again in one.
    """
    with ExitStack() as stack:
        for layer in adapted_layers(model).values():
            stack.callback(_put_back_forward, layer, vars(layer).get("forward"))
            layer.forward = layer.get_base_layer().__call__
        yield


def _put_back_forward(layer: nn.Module, own: Callable[..., Any] | None) -> None:
    """Undo `base_layers_alone`; a `forward` that other code had set on the layer is restored."""
    if own is None:
        del layer.forward
    else:
        layer.forward = own


@contextmanager
def zero_factors_filled(model: nn.Module) -> Iterator[int]:
    """Fill every adapter factor that is all zeros with random values, and yield how many there are.

    The values are normal with standard deviation `SPREAD`. The factors are zero again at the end.
    """
    import torch

    zero = [p for p in adapter_parameters(model).values() if p.is_floating_point() and not p.any()]
    try:
        for parameter in zero:
            parameter.data.copy_(torch.randn(parameter.shape) * SPREAD)
        yield len(zero)
    finally:
        for parameter in zero:
            parameter.data.zero_()


@contextmanager
def factors_stirred(model: nn.Module) -> Iterator[int]:
    """Add random values to every parameter of the adapters that trains, and yield how many there are.

    Some adapters change nothing to begin with, and have no zero factor: (IA)^3 multiplies by ones. The values are
    normal with the standard deviation that the parameter has, or ten times `SPREAD`. At the end all is as it was.
    """
    import torch

    parameters = [p for p in adapter_parameters(model).values() if p.requires_grad and p.is_floating_point()]
    before = [parameter.detach().clone() for parameter in parameters]
    try:
        for parameter in parameters:
            spread = max(float(parameter.std(unbiased=False)), 10 * SPREAD)
            parameter.data.add_(torch.randn(parameter.shape).to(parameter.device) * spread)
        yield len(parameters)
    finally:
        for parameter, value in zip(parameters, before, strict=True):
            parameter.data.copy_(value)


def factors_of(model: nn.Module) -> list[Tensor]:
    """Return a copy of every parameter of the adapters, in the order of the model."""
    return [parameter.detach().clone() for parameter in adapter_parameters(model).values()]


@contextmanager
def factors_put(model: nn.Module, values: Sequence[Tensor]) -> Iterator[None]:
    """Give every parameter of the adapters a value, in the order of `factors_of`; at the end all is as it was."""
    parameters, before = [*adapter_parameters(model).values()], factors_of(model)
    try:
        for parameter, value in zip(parameters, values, strict=True):
            parameter.data.copy_(value)
        yield
    finally:
        for parameter, value in zip(parameters, before, strict=True):
            parameter.data.copy_(value)


@contextmanager
def base_weights(model: nn.Module) -> Iterator[Weights]:
    """Yield copies of the adapted layers' base weights, by layer and parameter name.

    At the end they are restored, and the layers count as merged or not, as they did.
    """
    adapted = adapted_layers(model)
    merged = {name: (layer.merged_adapters, [*layer.merged_adapters]) for name, layer in adapted.items()}
    layers = {name: layer.get_base_layer() for name, layer in adapted.items()}
    weights = {
        name: {own: parameter.detach().clone() for own, parameter in layer.named_parameters()}
        for name, layer in layers.items()
    }
    try:
        yield weights
    finally:
        for name, layer in layers.items():
            adapted[name].merged_adapters, adapters = merged[name]
            adapted[name].merged_adapters[:] = adapters  # the same list: other code may hold it
            for own, parameter in layer.named_parameters():
                parameter.data.copy_(weights[name][own])
