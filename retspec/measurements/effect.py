"""The measurements `effect` and `loaded_effect`: how much an adapter changes the logits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.facts import AdapterEffect
from retspec.plugin import Cost, Passes, measurement
from retspec.subjects.models.adapters import adapters_off, require_switch
from retspec.subjects.models.outputs import largest_difference, logits_of
from retspec.subjects.models.peft_types import layers_read_past
from retspec.subjects.models.state import preserved
from retspec.subjects.models.structure import own_name

if TYPE_CHECKING:
    from torch import nn

    from retspec.measurements.training import Trained
    from retspec.records import Recipe
    from retspec.subjects.data.batch import Batch


def _passes(recipe: Recipe) -> Passes:  # noqa: ARG001 - every counter gets the recipe
    return Passes(forward=2)


@measurement(cost=Cost.TRAINING, passes=_passes)
def effect(training: Trained, model: nn.Module, batch: Batch) -> AdapterEffect:
    """Compare the trained model's logits with its adapter and without, in eval mode.

    Raises NoVerdict for a model without an adapter, Inconclusive for a merged adapter or logits that are not finite.
    """
    import torch

    require_switch(model)
    with preserved(model), torch.no_grad():
        for name, parameter in model.named_parameters():
            if name in training.tensors:
                parameter.copy_(training.tensors[name])
        return _compare(model, batch)


@measurement(cost=Cost.FORWARD, passes=_passes)
def loaded_effect(model: nn.Module, batch: Batch) -> AdapterEffect:
    """Compare the loaded model's logits with its adapter and without, before any training, in eval mode.

    Raises what `effect` raises.
    """
    import torch

    require_switch(model)
    with preserved(model), torch.no_grad():
        return _compare(model, batch)


def _compare(model: nn.Module, batch: Batch) -> AdapterEffect:
    model.eval()
    adapted = logits_of(model(batch.inputs)).float()
    with adapters_off(model):
        disabled = logits_of(model(batch.inputs)).float()
    absolute = largest_difference(adapted, disabled)
    past = tuple(map(own_name, layers_read_past(model)))
    return AdapterEffect(absolute, absolute / max(float(adapted.abs().max()), 1e-30), past)
