"""The measurement `reloading`: whether a saved adapter gives the same logits when it is loaded again."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING

from retspec.errors import NoVerdict
from retspec.facts import Reloading
from retspec.plugin import Cost, Passes, measurement
from retspec.subjects.models.outputs import largest_difference, logits_of
from retspec.subjects.models.peft_types import peft_model_in
from retspec.subjects.models.state import preserved

if TYPE_CHECKING:
    from peft import PeftModel
    from torch import nn

    from retspec.subjects.data.batch import Batch

SPREAD = 0.02
"""Standard deviation of the random values."""


@measurement(cost=Cost.FORWARD, passes=lambda recipe: Passes(forward=3))  # noqa: ARG005 - every counter gets the recipe
def reloading(model: nn.Module, batch: Batch) -> Reloading:
    """Save the adapter, reset all trainable parameters to random values, load it, and compare the logits.

    The base stays as it is: loading in a new process differs from this only in the trainable parameters, which start
    from other random values there.

    Raises NoVerdict for a model without an adapter that peft can save, Inconclusive for logits that are not finite.
    """
    import torch

    wrapped = _peft_model(model)
    with preserved(model), torch.no_grad(), tempfile.TemporaryDirectory() as folder:
        model.eval()
        _randomize(model)
        saved = logits_of(model(batch.inputs)).clone()
        before = {name: p.detach().clone() for name, p in model.named_parameters() if p.requires_grad}
        wrapped.save_pretrained(folder)
        _randomize(model)
        fresh = logits_of(model(batch.inputs)).clone()
        _load(wrapped, folder)
        loaded = logits_of(model(batch.inputs)).clone()
        lost = [name for name, p in model.named_parameters() if name in before and not p.equal(before[name])]
    return Reloading(
        difference=largest_difference(saved, loaded), effect=largest_difference(saved, fresh), not_saved=tuple(lost)
    )


def _peft_model(model: nn.Module) -> PeftModel:
    wrapped = peft_model_in(model)
    if wrapped is None:
        raise NoVerdict(
            "the model carries no adapter that peft could save; add `model.lora`, or leave this criterion out"
        )
    return wrapped


def _randomize(model: nn.Module) -> None:
    """Set all trainable parameters to seeded random values: normal, with standard deviation `SPREAD`."""
    import torch

    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.copy_(torch.randn(parameter.shape) * SPREAD)


def _load(wrapped: PeftModel, folder: str) -> None:
    from peft import load_peft_weights, set_peft_model_state_dict

    adapter = wrapped.active_adapter
    set_peft_model_state_dict(wrapped, load_peft_weights(folder, device="cpu"), adapter_name=adapter)
