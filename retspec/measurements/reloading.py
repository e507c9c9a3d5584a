"""The measurement `reloading`: whether a saved adapter gives the same logits when it is loaded again."""

from __future__ import annotations

import tempfile
import warnings
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from retspec.errors import Inconclusive, NoVerdict
from retspec.facts import Reloading
from retspec.plugin import Cost, Passes, measurement
from retspec.subjects.models.adapters import base_weights
from retspec.subjects.models.outputs import largest_difference, logits_of
from retspec.subjects.models.peft_types import peft_model_in
from retspec.subjects.models.state import fingerprints, preserved
from retspec.subjects.models.structure import adapted_layers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from peft import PeftModel
    from torch import Tensor, nn

    from retspec.subjects.data.batch import Batch

    BuildAgain = Callable[[Callable[[nn.Module], nn.Module]], nn.Module]

AGAIN = "retspec_again"
"""How the names of the adapters begin that are loaded beside those that were saved."""
ONE_WAY = {"loftq": "quantizes the base", "corda": "needs what was gathered from the data to load the adapter"}
"""See https://huggingface.co/docs/peft/developer_guides/lora"""
SPREAD = 0.02
"""Standard deviation of the random values."""


@measurement(cost=Cost.FORWARD, passes=lambda recipe: Passes(forward=3))  # noqa: ARG005 - every counter gets the recipe
def reloading(model: nn.Module, batch: Batch, build_again: BuildAgain | None) -> Reloading:
    """Save the adapters, load them as another process does, and compare the logits.

    Where the spec says which adapter the base gets, the base is made again, and `PeftModel.from_pretrained` loads the
    adapter onto it. Otherwise the model has its adapter from a factory: all trainable parameters get other random
    values, and the adapter is loaded into them. There the base stays as it is, unless the adapter's initialization
    changes it by random numbers: such a one is undone first and runs again, with others. See
    https://huggingface.co/docs/peft/developer_guides/lora

    Raises NoVerdict for a model without an adapter that peft can save, Inconclusive for logits that are not finite.
    """
    import torch

    wrapped = _peft_model(model)
    initializations = _initializations_of(wrapped)
    if build_again is None:
        _require_way_back(initializations)
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        stack.enter_context(preserved(model))
        stack.enter_context(torch.no_grad())
        originals = _originals(model, initializations) if initializations and build_again is None else {}
        model.eval()
        _randomize(model)
        saved = logits_of(model(batch.inputs)).clone()
        before = {name: p.detach().clone() for name, p in model.named_parameters() if p.requires_grad}
        wrapped.save_pretrained(folder)
        _randomize(model)
        fresh = logits_of(model(batch.inputs)).clone()
        reloaded, again = model, {}
        if build_again is not None:
            reloaded = _built_again(model, Path(folder), build_again)
        elif initializations and _draws(model, wrapped, Path(folder), originals):
            again = stack.enter_context(_loaded_with_initialization(model, wrapped, Path(folder), originals))
        else:
            _load(wrapped, Path(folder))
        loaded = logits_of(reloaded(batch.inputs)).clone()
        now = dict(reloaded.named_parameters())
        now |= {_renamed(name, again): p for name, p in now.items() if AGAIN in name}
        lost = [name for name in before if name not in now or not now[name].equal(before[name])]
    return Reloading(
        difference=largest_difference(saved, loaded),
        effect=largest_difference(saved, fresh),
        not_saved=tuple(lost),
        initialization=", ".join(dict.fromkeys(initializations.values())),
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
            parameter.copy_(torch.randn_like(parameter, device="cpu") * SPREAD)


def _initializations_of(wrapped: PeftModel) -> dict[str, str]:
    """Return the initialization of each adapter where it has a name, and so may change the base."""
    values = {name: getattr(config, "init_lora_weights", None) for name, config in wrapped.peft_config.items()}
    return {name: value for name, value in values.items() if isinstance(value, str)}


def _require_way_back(initializations: Mapping[str, str]) -> None:
    """Raise Inconclusive for an initialization that leaves no way back to the base that it began with."""
    for value in initializations.values():
        if value in ONE_WAY:
            raise Inconclusive(
                f"init_lora_weights={value} {ONE_WAY[value]}, so the base that it began with cannot be made again "
                "here; save the base too, and compare the outputs of both in a new process"
            )


def _built_again(model: nn.Module, folder: Path, build: BuildAgain) -> nn.Module:
    """Return the model that another process makes of the adapter in a folder, in eval mode.

    Raises NoVerdict where the source gives the model that it gave before: it would be changed here.
    """
    from peft import PeftModel

    known = {id(parameter) for parameter in model.parameters()}

    def load(base: nn.Module) -> nn.Module:
        if any(id(parameter) in known for parameter in base.parameters()):
            raise NoVerdict(
                "the factory returns the same model each time, so that the adapter cannot be loaded onto one made "
                "again; let it make a new one"
            )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            loaded: nn.Module = PeftModel.from_pretrained(base, str(folder), is_trainable=True, torch_device="cpu")
        return loaded

    again = build(load)
    again.eval()
    return again


def _originals(model: nn.Module, initializations: Mapping[str, str]) -> dict[str, Tensor]:
    """Return the weight that each adapted layer had before its adapters were initialized, by the layer's name.

    It is the weight plus the updates, as these initializations keep the function of the layer: PiSSA
    (https://arxiv.org/abs/2404.02948), OLoRA (https://arxiv.org/abs/2406.01775).
    """
    return {
        name: layer.get_base_layer().weight
        + sum(layer.get_delta_weight(adapter) for adapter in initializations if adapter in layer.scaling)
        for name, layer in adapted_layers(model).items()
        if hasattr(layer, "get_delta_weight") and "weight" in dict(layer.get_base_layer().named_parameters())
    }


@contextmanager
def _loaded_with_initialization(
    model: nn.Module, wrapped: PeftModel, folder: Path, originals: Mapping[str, Tensor]
) -> Iterator[dict[str, str]]:
    """Load the adapters beside the first ones, as peft does with a new base, and take them away at the end.

    Yields the names of those that were saved by the names that they are loaded under.
    """
    active, attribute = [*wrapped.active_adapters], wrapped.active_adapter
    again = {f"{AGAIN}_{index}": name for index, name in enumerate([*wrapped.peft_config])}
    with base_weights(model):
        layers = adapted_layers(model)
        for layer, weight in originals.items():
            layers[layer].get_base_layer().weight.data.copy_(weight)
        try:
            for name, saved in again.items():
                _load_beside(wrapped, _subfolder(folder, saved), name)
            wrapped.base_model.set_adapter([name for name, saved in again.items() if saved in active])
            yield again
        finally:
            wrapped.base_model.set_adapter(active)
            for name in again.keys() & wrapped.peft_config.keys():
                wrapped.delete_adapter(name)
            wrapped.active_adapter = attribute


def _load_beside(wrapped: PeftModel, folder: Path, name: str) -> None:
    """Load an adapter; that peft advises against two in one layer is no finding about the user's model."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wrapped.load_adapter(str(folder), name, is_trainable=True)


def _draws(model: nn.Module, wrapped: PeftModel, folder: Path, originals: Mapping[str, Tensor]) -> bool:
    """Whether the base depends on random numbers: if not, every process makes the same one, and it may stay as it is.

    So what undoing the initialization rounds does not count.
    """
    bases = []
    for _turn in range(2):
        with _loaded_with_initialization(model, wrapped, folder, originals):
            weights = {name: layer.get_base_layer().weight for name, layer in adapted_layers(model).items()}
            bases.append(fingerprints({name: weights[name] for name in originals}))
    return bases[0] != bases[1]


def _renamed(name: str, again: Mapping[str, str]) -> str:
    """Return the name of a parameter with the adapter that was saved in place of the one that was loaded."""
    return ".".join(again.get(part, part) for part in name.split("."))


def _load(wrapped: PeftModel, folder: Path) -> None:
    from peft import load_peft_weights, set_peft_model_state_dict

    for adapter in wrapped.peft_config:
        weights = load_peft_weights(str(_subfolder(folder, adapter)), device="cpu")
        set_peft_model_state_dict(wrapped, weights, adapter_name=adapter)


def _subfolder(folder: Path, adapter: str) -> Path:
    """Return where `save_pretrained` puts an adapter: one called otherwise than "default" in a folder of its name."""
    return folder if adapter == "default" else folder / adapter
