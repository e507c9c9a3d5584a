"""The measurement `reloading`: whether a saved adapter gives the same logits when it is loaded again."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from retspec.errors import NoVerdict
from retspec.facts import Reloading
from retspec.plugin import Cost, Passes, measurement
from retspec.subjects.models.adapters import base_weights
from retspec.subjects.models.outputs import largest_difference, logits_of
from retspec.subjects.models.peft_types import peft_model_in
from retspec.subjects.models.state import preserved
from retspec.subjects.models.structure import adapted_layers

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from peft import PeftModel
    from torch import Tensor, nn

    from retspec.subjects.data.batch import Batch

AGAIN = "retspec_again"
"""Name of the adapter that is loaded beside the one that was saved."""
SPREAD = 0.02
"""Standard deviation of the random values."""


@measurement(cost=Cost.FORWARD, passes=lambda recipe: Passes(forward=3))  # noqa: ARG005 - every counter gets the recipe
def reloading(model: nn.Module, batch: Batch) -> Reloading:
    """Save the adapter, reset all trainable parameters to random values, load it, and compare the logits.

    Loading in a new process differs from this in the trainable parameters, which start from other random values, and in
    the base, where the adapter's initialization changes it. Such a one is undone first and runs again, with other
    random numbers, as `PeftModel.from_pretrained` lets it; otherwise the base stays as it is. See
    https://huggingface.co/docs/peft/developer_guides/lora

    Raises NoVerdict for a model without an adapter that peft can save, Inconclusive for logits that are not finite.
    """
    import torch

    wrapped = _peft_model(model)
    adapter, initialization = wrapped.active_adapter, _initialization_of(wrapped)
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        stack.enter_context(preserved(model))
        stack.enter_context(torch.no_grad())
        originals = _originals(model) if initialization else {}
        model.eval()
        _randomize(model)
        saved = logits_of(model(batch.inputs)).clone()
        before = {name: p.detach().clone() for name, p in model.named_parameters() if p.requires_grad}
        wrapped.save_pretrained(folder)
        _randomize(model)
        fresh = logits_of(model(batch.inputs)).clone()
        if initialization:
            stack.enter_context(_loaded_with_initialization(model, wrapped, folder, originals))
        else:
            _load(wrapped, folder)
        loaded = logits_of(model(batch.inputs)).clone()
        now = dict(model.named_parameters())
        now |= {name.replace(AGAIN, adapter): p for name, p in now.items() if f".{AGAIN}" in name}
        lost = [name for name in before if not now[name].equal(before[name])]
    return Reloading(
        difference=largest_difference(saved, loaded),
        effect=largest_difference(saved, fresh),
        not_saved=tuple(lost),
        initialization=initialization,
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


def _initialization_of(wrapped: PeftModel) -> str:
    """Return the initialization of the active adapter if it has a name, which may change the base; else nothing."""
    value = getattr(wrapped.peft_config[wrapped.active_adapter], "init_lora_weights", None)
    return value if isinstance(value, str) else ""


def _originals(model: nn.Module) -> dict[str, Tensor]:
    """Return the weight that each adapted layer had before its adapter was initialized, by the layer's name.

    It is the weight plus the update, as these initializations keep the function of the layer: PiSSA
    (https://arxiv.org/abs/2404.02948), OLoRA (https://arxiv.org/abs/2406.01775).
    """
    return {
        name: layer.get_base_layer().weight + sum(layer.get_delta_weight(adapter) for adapter in layer.active_adapters)
        for name, layer in adapted_layers(model).items()
        if hasattr(layer, "get_delta_weight") and "weight" in dict(layer.get_base_layer().named_parameters())
    }


@contextmanager
def _loaded_with_initialization(
    model: nn.Module, wrapped: PeftModel, folder: str, originals: Mapping[str, Tensor]
) -> Iterator[None]:
    """Load the adapter beside the first, as peft does with a new base, and take it away at the end."""
    name = wrapped.active_adapter
    with base_weights(model):
        layers = adapted_layers(model)
        for layer, weight in originals.items():
            layers[layer].get_base_layer().weight.data.copy_(weight)
        try:
            wrapped.load_adapter(folder if name == "default" else f"{folder}/{name}", AGAIN, is_trainable=True)
            wrapped.set_adapter(AGAIN)
            yield
        finally:
            wrapped.delete_adapter(AGAIN)
            wrapped.set_adapter(name)


def _load(wrapped: PeftModel, folder: str) -> None:
    from peft import load_peft_weights, set_peft_model_state_dict

    adapter = wrapped.active_adapter
    set_peft_model_state_dict(wrapped, load_peft_weights(folder, device="cpu"), adapter_name=adapter)
