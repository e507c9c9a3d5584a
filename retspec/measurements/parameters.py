"""The measurement `parameters`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.facts import Parameter, Parameters
from retspec.plugin import Cost, measurement
from retspec.subjects.structure import adapted_layers, groups

if TYPE_CHECKING:
    from retspec.subjects.skeleton import Skeleton


@measurement(cost=Cost.STATIC)
def parameters(skeleton: Skeleton) -> Parameters:
    """Count the parameters and name the adapted layers, without weights."""
    model = skeleton.module
    layers = adapted_layers(model).items()
    return Parameters(
        tuple(
            Parameter(name, p.numel(), group, p.requires_grad, str(p.dtype).removeprefix("torch."))
            for name, p, group in groups(model)
        ),
        tuple(f"{name} ({type(layer.get_base_layer()).__name__})" for name, layer in layers),
    )
