"""The section `peft` of a model: other methods of peft than LoRA, by their own names and types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from retspec.records.peft_keys import PEFT_KEYS


@dataclass(frozen=True, kw_only=True)
class Peft:
    """How peft wraps the model by another method than LoRA."""

    type: str
    """A value of `peft.PeftType`."""
    arguments: Mapping[str, Any]
    """Fields of its configuration, as the spec gives them."""

    @property
    def names_blocks(self) -> bool:
        """Whether only some blocks are adapted."""
        return self.arguments.get("layers_to_transform") not in (None, [])


PEFT_NEEDS: Mapping[str, tuple[str, ...]] = {
    "ADALORA": ("target_modules", "total_step"),
    "IA3": ("target_modules", "feedforward_modules"),
}
"""What peft cannot do without; everywhere else it is `target_modules`, as no layer of a vision model is known to it."""

_TOKENS = "it adds tokens to the input of a language model"
PEFT_REFUSED: Mapping[str, str] = {
    "lora": "write it as `lora:`, without a type",
    **dict.fromkeys(
        ("prompt_tuning", "multitask_prompt_tuning", "p_tuning", "prefix_tuning", "cpt", "cartridge"), _TOKENS
    ),
    "adaption_prompt": _TOKENS,
    "trainable_tokens": "it trains tokens of a language model",
    "xlora": "it mixes trained adapters of a language model",
    "shadow": "it is for language models",
    "poly": "its layers need the number of a task in every forward pass",
}
"""The other methods, in lower case, each with the reason why a spec does not take it."""


_NAMES = """
AdaLora AdaLoRA AdaMSS DeLoRA FourierFT GLoRA GraLoRA HiRA LNTuning LoHa LoKr MiSS PVeRA RandLora RandLoRA RoAd SHiRA
TinyLora TinyLoRA UniLora UniLoRA VBLoRA VeRA WaveFT
"""
"""Other spellings: those of the classes of peft, without `Config`, and of the papers."""


def peft_names(kind: str) -> list[str]:
    """Return the spellings of a `peft.PeftType` that a spec may use: first the one that messages use."""
    plain = kind.lower()
    others = (name for name in _NAMES.split() if name.lower() == plain.replace("_", ""))
    return [*dict.fromkeys((plain, kind, plain.capitalize(), *others))]


def peft_type(name: str) -> str:
    """Return the `peft.PeftType` of a name in any of its spellings."""
    return next(kind for kind in PEFT_KEYS if name in peft_names(kind))
