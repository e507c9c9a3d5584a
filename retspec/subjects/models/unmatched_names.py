"""Find names in the configuration of an adapter that no layer has: peft takes the others without a word."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from retspec.errors import did_you_mean
from retspec.subjects.models.peft_types import peft_model_in
from retspec.subjects.models.structure import own_name
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
    return tuple(notes)
