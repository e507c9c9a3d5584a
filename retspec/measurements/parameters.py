"""The measurement `parameters`: every parameter of the model, and the layers with an adapter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.facts import Parameter, Parameters
from retspec.plugin import Cost, measurement
from retspec.subjects.models.own_adapters import own_adapters
from retspec.subjects.models.structure import adapted_layers, groups, own_name

if TYPE_CHECKING:
    from peft.tuners.tuners_utils import BaseTunerLayer
    from torch import nn

    from retspec.subjects.models.skeleton import Skeleton


@measurement(cost=Cost.STATIC)
def parameters(skeleton: Skeleton) -> Parameters:
    """List the parameters with their sizes, and the adapted layers, without weights.

    The factor of an adapter that is not peft's is the number `scaling` of its layer, if it has one, as in
    https://github.com/microsoft/LoRA/blob/main/loralib/layers.py.
    """
    model = skeleton.module
    layers = adapted_layers(model).items()
    own = {own_name(name): adapter.layer for name, adapter in own_adapters(model).items()}
    return Parameters(
        tuple(
            Parameter(name, p.numel(), group, p.requires_grad, str(p.dtype).removeprefix("torch."))
            for name, p, group in groups(model)
        ),
        (
            *(f"{name} ({type(layer.get_base_layer()).__name__})" for name, layer in layers),
            *(f"{name} ({type(layer).__name__})" for name, layer in own.items()),
        ),
        {name: float(scale) for name, layer in layers if (scale := _scaling(layer)) is not None}
        | {name: scale for name, layer in own.items() if (scale := _own_scaling(layer)) is not None},
    )


def _own_scaling(layer: nn.Module) -> float | None:
    scaling = getattr(layer, "scaling", None)
    return float(scaling) if isinstance(scaling, (int, float)) else None


def _scaling(layer: BaseTunerLayer) -> float | None:
    """Return the factor by which peft scales the update of a layer, for LoRA alpha / r.

    None unless its active adapters have such a factor, and the same. See https://arxiv.org/abs/2106.09685, section 4.1.
    AdaLoRA divides by the rank that is left in each pass, so it has none: https://arxiv.org/abs/2303.10512.
    """
    if hasattr(layer, "ranknum"):
        return None
    scaling = getattr(layer, "scaling", {})
    factors = {scaling[name] for name in layer.active_adapters if name in scaling}
    return factors.pop() if len(factors) == 1 else None
