"""The keys that the configuration of a saved adapter may have, whatever the installed peft accepts.

A configuration is untrusted, and peft acts on it: it imports the module that `megatron_core` names, before 0.20 without
an allow-list (https://github.com/huggingface/peft/blob/v0.19.1/src/peft/tuners/lora/tp_layer.py). So only keys that
choose layers, sizes and factors are passed to it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Literal

from msgspec import Meta

if TYPE_CHECKING:
    from collections.abc import Mapping

Schema = dict[str, Any]
"""Key to the type of its value."""

_Rank = Annotated[int, Meta(ge=1, le=1 << 20)]
_Index = Annotated[int, Meta(ge=0, le=1 << 20)]
_Number = Annotated[float, Meta(ge=-1e6, le=1e6)]
_Fraction = Annotated[float, Meta(ge=0, le=1)]
_Names = list[str] | None
_Pattern = str | list[str] | None
_Bias = Literal["none", "all", "lora_only"]
_Task = Literal["SEQ_CLS", "SEQ_2_SEQ_LM", "CAUSAL_LM", "TOKEN_CLS", "QUESTION_ANS", "FEATURE_EXTRACTION"] | None
# Methods that need the data or gradients of a training (`corda`, `loftq`, `lora_ga`) are left out.
_LoraInit = bool | Annotated[str, Meta(pattern=r"^(gaussian|eva|orthogonal|olora|pissa|pissa_niter_\d{1,3}|mica)$")]

_LAYERS: Schema = {
    "target_modules": _Pattern,
    "exclude_modules": _Pattern,
    "modules_to_save": _Names,
    "layers_to_transform": list[_Index] | _Index | None,
    "layers_pattern": _Pattern,
}
_LORA: Schema = {
    **_LAYERS,
    "r": _Rank,
    "lora_alpha": _Number,
    "lora_dropout": _Fraction,
    "fan_in_fan_out": bool,
    "bias": _Bias,
    "use_rslora": bool,
    "use_dora": bool,
    "lora_bias": bool,
    "init_lora_weights": _LoraInit | None,
    "rank_pattern": dict[str, _Rank] | None,
    "alpha_pattern": dict[str, _Number] | None,
    "target_parameters": _Names,
    "trainable_token_indices": list[_Index] | dict[str, list[_Index]] | None,
    "ensure_weight_tying": bool,
}
_LYCORIS: Schema = {
    **_LAYERS,
    "r": _Rank,
    "alpha": _Number,
    "rank_dropout": _Fraction,
    "module_dropout": _Fraction,
    "use_effective_conv2d": bool,
    "init_weights": bool,
    "rank_pattern": dict[str, _Rank] | None,
    "alpha_pattern": dict[str, _Number] | None,
}
_ADALORA: Schema = {
    **_LORA,
    "rank_pattern": dict[str, list[bool]] | None,
    "target_r": _Rank,
    "init_r": _Rank,
    "tinit": _Index,
    "tfinal": _Index,
    "deltaT": _Index,
    "beta1": _Fraction,
    "beta2": _Fraction,
    "orth_reg_weight": _Number,
    "total_step": Annotated[int, Meta(ge=1, le=1 << 40)] | None,
}
_LOKR: Schema = {
    **_LYCORIS,
    "init_weights": bool | Literal["lycoris"],
    "decompose_both": bool,
    "decompose_factor": Annotated[int, Meta(ge=-1, le=1 << 20)],
    "rank_dropout_scale": bool,
}
_IA3: Schema = {
    "target_modules": _Pattern,
    "exclude_modules": _Pattern,
    "modules_to_save": _Names,
    "feedforward_modules": _Pattern,
    "fan_in_fan_out": bool,
    "init_ia3_weights": bool,
}

_HISTORY: Schema = {
    "base_model_name_or_path": str | None,
    "revision": str | None,
    "peft_version": str | None,
    "auto_mapping": dict[str, Any] | None,
    "inference_mode": bool,
}
"""Keys that peft writes about the training; loading needs none of them, and `auto_mapping` names code to import."""

_LORA_HISTORY: Schema = {
    **_HISTORY,
    "megatron_core": Literal["megatron.core"] | None,
    "qalora_group_size": _Rank,
    "eva_config": dict[str, Any] | None,
    "corda_config": dict[str, Any] | None,
    "loftq_config": dict[str, Any] | None,
    "lora_ga_config": dict[str, Any] | None,
    "runtime_config": dict[str, Any] | None,
}
"""The same for LoRA: how factors were initialised, and what peft writes next to a `megatron_config` of null."""

_LORA_REASONS = {
    "megatron_config": "it makes peft import the module that megatron_core names",
    "layer_replication": "it rebuilds the base model",
    "alora_invocation_tokens": "it needs tokens",
    "use_qalora": "it needs a base model in GPTQ",
    "use_bdlora": "it is a variant of LoRA that is not loaded here",
    "arrow_config": "it is a variant of LoRA that is not loaded here",
    "kasa_config": "it is a variant of LoRA that is not loaded here",
    "monteclora_config": "it is a variant of LoRA that is not loaded here",
    "velora_config": "it is a variant of LoRA that is not loaded here",
}


@dataclass(frozen=True)
class Kind:
    """The keys of one type of adapter."""

    passed: Schema
    """Keys that are passed to peft."""
    noted: Schema = field(default_factory=lambda: _HISTORY)
    """Keys that are checked, and then dropped."""
    reasons: Mapping[str, str] = field(default_factory=dict)
    """Other keys of peft, which must be null, false or empty, each with the reason."""

    @property
    def schema(self) -> Schema:
        """All keys that may have a value, with its type."""
        return {"peft_type": str, "task_type": _Task, **self.passed, **self.noted}

    @property
    def reaching_peft(self) -> frozenset[str]:
        """All keys that are passed to peft."""
        return frozenset({"peft_type", "task_type", *self.passed})


KINDS: Mapping[str, Kind] = {
    "LORA": Kind(_LORA, _LORA_HISTORY, _LORA_REASONS),
    "ADALORA": Kind(_ADALORA, _LORA_HISTORY, _LORA_REASONS),
    "LOHA": Kind(_LYCORIS),
    "LOKR": Kind(_LOKR),
    "IA3": Kind(_IA3),
}
"""Supported types of adapters, by `peft_type`."""
