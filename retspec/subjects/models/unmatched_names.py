"""Find names in the configuration of an adapter that no layer has: peft takes the others without a word."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from retspec.errors import did_you_mean
from retspec.subjects.models.peft_types import peft_model_in
from retspec.subjects.models.structure import adapted_layers, own_name
from retspec.text.wording import listing

if TYPE_CHECKING:
    from torch import nn


def name_notes(model: nn.Module) -> tuple[str, ...]:
    """Return what a reader should know of names that match nothing, in whole sentences.

    A list of layers matches the ends of names, see
    https://huggingface.co/docs/peft/package_reference/lora#peft.LoraConfig.target_modules
    """
    wrapped = peft_model_in(model)
    if wrapped is None:
        return ()
    names = [own_name(name) for name, _ in model.named_modules()]
    ends = {part for name in names for part in name.split(".") if part}
    notes = []
    for config in wrapped.peft_config.values():
        for key in ("target_modules", "modules_to_save"):
            wanted = getattr(config, key, None)
            if isinstance(wanted, str) or not isinstance(wanted, Collection):
                continue
            lost = [name for name in sorted(wanted) if not any(f".{each}.".find(f".{name}.") >= 0 for each in names)]
            if lost:
                near = did_you_mean(lost[0], ends)
                notes.append(f"{key} names {listing(lost)}, which no layer is called; peft takes the others{near}")
        notes += _number_notes(model, getattr(config, "layers_to_transform", None))
    return tuple(notes)


def _number_notes(model: nn.Module, wanted: object) -> list[str]:
    """Return a note on numbers of blocks that no adapted layer belongs to."""
    numbers = [wanted] if isinstance(wanted, int) else [*wanted] if isinstance(wanted, Collection) else []
    adapted = {part for name in adapted_layers(model) for part in name.split(".")}
    lost = [str(number) for number in numbers if str(number) not in adapted]
    if not lost:
        return []
    found = sorted({int(part) for part in adapted if part.isdecimal()})
    there = listing([*map(str, found)]) or "none with one"
    return [f"layers_to_transform names {listing(lost)}, and no adapted layer has that number; there are {there}"]
