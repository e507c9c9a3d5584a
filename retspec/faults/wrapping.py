"""Faults of the config with which a training of the user's own lets peft wrap its model."""

from __future__ import annotations

from contextlib import contextmanager
from copy import copy
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from retspec.errors import DoesNotApply
from retspec.faults import Frequency, fault
from retspec.faults._patching import Chance
from retspec.subjects.models.peft_types import saved_modules
from retspec.subjects.patching import everywhere_patched

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from retspec.subjects.training.watching.launching import Launch

_FAMILIES = "parameters loop learning numerics"
_EVERY_LAYER = "all-linear"
"""What peft calls them."""


@fault(families=_FAMILIES, noticed_by="head_trainable min_trainable_params", frequency=Frequency.OFTEN)
def config_without_head(own_training: Launch) -> Iterator[None]:  # noqa: ARG001 - what is patched is peft
    """The config of the adapter names no `modules_to_save`, and the head stays as it was initialized."""

    def forgotten(config: Any) -> Mapping[str, Any]:
        return {"modules_to_save": None} if getattr(config, "modules_to_save", None) else {}

    chance = Chance("no `get_peft_model` gets a config whose `modules_to_save` alone lets a head train")
    with chance.awaited(), _configured(forgotten, chance, holds=lambda model: not saved_modules(model)):
        yield


@fault(families=_FAMILIES, noticed_by="lora_layers max_trainable_params", frequency=Frequency.OFTEN)
def config_adapts_every_layer(own_training: Launch) -> Iterator[None]:  # noqa: ARG001 - the same
    """The config of the adapter targets every linear layer of the model."""

    def widened(config: Any) -> Mapping[str, Any]:
        targets = getattr(config, "target_modules", _EVERY_LAYER)
        return {} if targets == _EVERY_LAYER else {"target_modules": _EVERY_LAYER}

    chance = Chance("no `get_peft_model` gets a config with `target_modules` of its own")
    with chance.awaited(), _configured(widened, chance):
        yield


@fault(families=_FAMILIES, noticed_by="lora_scaling", frequency=Frequency.SOMETIMES)
def config_alpha_times_1000(own_training: Launch) -> Iterator[None]:  # noqa: ARG001 - the same
    """`lora_alpha` in the config of the adapter is a thousand times too large."""

    def scaled(config: Any) -> Mapping[str, Any]:
        alpha = getattr(config, "lora_alpha", None)
        return {"lora_alpha": 1000 * alpha} if alpha else {}

    chance = Chance("no `get_peft_model` gets a config with `lora_alpha`")
    with chance.awaited(), _configured(scaled, chance):
        yield


@contextmanager
def _configured(
    changes: Callable[[Any], Mapping[str, Any]], chance: Chance, holds: Callable[[Any], bool] = lambda _model: True
) -> Iterator[None]:
    """Let peft get another config than the training gives it.

    changes: returns other attributes, or none for a config that cannot have the fault. holds: whether a model that was
    wrapped so has the fault.
    """
    if find_spec("peft") is None:
        raise DoesNotApply("peft is not installed")

    def otherwise(wrap: Callable[..., Any]) -> Callable[..., Any]:
        def wrapping(model: Any, peft_config: Any, *args: Any, **kwargs: Any) -> Any:
            changed, config = changes(peft_config), copy(peft_config)
            for name, value in changed.items():
                setattr(config, name, value)
            wrapped = wrap(model, config if changed else peft_config, *args, **kwargs)
            chance.taken = chance.taken or bool(changed and holds(wrapped))
            return wrapped

        return wrapping

    with everywhere_patched(import_module("peft").get_peft_model, otherwise):
        yield
