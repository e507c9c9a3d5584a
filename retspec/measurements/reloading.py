"""The measurement `reloading`."""

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


@measurement(cost=Cost.FORWARD, passes=lambda recipe: Passes(forward=3))  # noqa: ARG005 - every counter gets the recipe
def reloading(model: nn.Module, batch: Batch) -> Reloading:
    """Save the adapter, give all trainable parameters new values, load the adapter, and compare outputs.

    The base stays where it is: loading into a fresh process differs from this only in the trainable parameters, which
    start from other random values there.

    Raises NoVerdict when the model has no adapter that peft could save.
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
    found = peft_model_in(model)
    if found is None:
        raise NoVerdict(
            "the model carries no adapter that peft could save; add `model.lora`, or leave this criterion out"
        )
    return found


def _randomize(model: nn.Module) -> None:
    """Give all trainable parameters new seeded values, as a fresh process would, none of them zero."""
    import torch

    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.copy_(torch.randn(parameter.shape) * SPREAD)


def _load(wrapped: PeftModel, folder: str) -> None:
    from peft import load_peft_weights, set_peft_model_state_dict

    adapter = wrapped.active_adapter
    set_peft_model_state_dict(wrapped, load_peft_weights(folder, device="cpu"), adapter_name=adapter)
