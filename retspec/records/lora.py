"""The section `lora` of a model: `peft.LoraConfig`, by its own names and types.

Validating a spec imports no peft, so the names are listed here; a test holds them against the installed dataclass.
See https://huggingface.co/docs/peft/package_reference/lora
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from msgspec import Meta

from retspec.records.quantities import PositiveInt

_Index = Annotated[int, Meta(ge=0)]


@dataclass(frozen=True, kw_only=True)
class Lora:
    """How peft wraps the model; the names are those of `peft.LoraConfig`, with or without its prefix `lora_`."""

    r: Annotated[PositiveInt, Meta(description="Rank of the update matrices.")] = 8
    alpha: Annotated[float, Meta(gt=0, description="The update is scaled by alpha / r.")] = 16
    dropout: Annotated[float, Meta(ge=0, lt=1, description="Dropout on the adapter's input.")] = 0.0
    target_modules: Annotated[
        list[str] | str,
        Meta(
            description="Names of layers (a layer matches when its name ends with one), or one regular expression for "
            "whole names.",
            examples=[["qkv"]],
        ),
    ]
    exclude_modules: Annotated[list[str] | str, Meta(description="Layers to leave alone.")] = ()  # type: ignore[assignment]
    modules_to_save: Annotated[
        list[str],
        Meta(
            description="Modules trained in full and saved with the adapter; the head belongs here.",
            examples=[["head"]],
        ),
    ] = ()  # type: ignore[assignment]
    bias: Annotated[Literal["none", "all", "lora_only"], Meta(description="Which biases train.")] = "none"
    use_rslora: Annotated[bool, Meta(description="Scale by alpha / sqrt(r) instead.")] = False
    use_dora: Annotated[bool, Meta(description="Train magnitude and direction separately (DoRA).")] = False
    init_lora_weights: Annotated[
        bool | Annotated[str, Meta(pattern=r"^(gaussian|olora|orthogonal|pissa|pissa_niter_[0-9]{1,3}|mica)$")],
        Meta(
            description="true, false, gaussian, olora, orthogonal, pissa, pissa_niter_N or mica; the others need a "
            "training: use a factory."
        ),
    ] = True
    layers_to_transform: Annotated[
        list[_Index] | _Index, Meta(description="Numbers of the blocks to adapt; by default all.")
    ] = ()  # type: ignore[assignment]
    layers_pattern: Annotated[list[str] | str, Meta(description="Name of the list of these blocks.")] = ()  # type: ignore[assignment]
    rank_pattern: Annotated[
        Mapping[str, PositiveInt], Meta(description="Ranks of other layers, by regular expressions.")
    ] = field(default_factory=dict)
    alpha_pattern: Annotated[
        Mapping[str, Annotated[float, Meta(gt=0)]],
        Meta(description="Their alphas."),
    ] = field(default_factory=dict)
    target_parameters: Annotated[list[str], Meta(description="Parameters to adapt.")] = ()  # type: ignore[assignment]
    fan_in_fan_out: Annotated[bool, Meta(description="Weights are (in, out).")] = False
    lora_bias: Annotated[bool, Meta(description="Give factor B a bias.")] = False

    @property
    def names_blocks(self) -> bool:
        """Whether only some blocks are adapted; block 0 alone is written as the number 0."""
        return isinstance(self.layers_to_transform, int) or bool(self.layers_to_transform)


EXPRESSIONS = ("target_modules", "exclude_modules", "feedforward_modules")
"""Keys whose value is a list of names, or one regular expression."""

LORA_ALIASES: Mapping[str, str] = {"lora_alpha": "alpha", "lora_dropout": "dropout"}
"""What peft calls the fields whose prefix retspec leaves out; a spec may use either name."""

_TRAINING = "it needs the data or the gradients of a training; build the model in a factory"
_VARIANT = "it makes a variant of LoRA that is not built here; build the model in a factory"
_LANGUAGE = "it is for language models"
_SAVED = "it describes a saved adapter; load one with `model.adapter`"
LORA_NOT_TAKEN: Mapping[str, str] = {
    "eva_config": _TRAINING,
    "corda_config": _TRAINING,
    "loftq_config": _TRAINING,
    "lora_ga_config": _TRAINING,
    "velora_config": _VARIANT,
    "monteclora_config": _VARIANT,
    "kasa_config": _VARIANT,
    "arrow_config": _VARIANT,
    "use_bdlora": _VARIANT,
    "use_qalora": "it needs a base model in GPTQ",
    "qalora_group_size": "it needs a base model in GPTQ",
    "megatron_config": "it is for models of Megatron",
    "megatron_core": "it makes peft import the module that it names",
    "layer_replication": "it rebuilds the base model",
    "runtime_config": "it changes nothing that is measured",
    "alora_invocation_tokens": _LANGUAGE,
    "trainable_token_indices": _LANGUAGE,
    "ensure_weight_tying": _LANGUAGE,
    "task_type": _LANGUAGE,
    "peft_type": "it is LoRA",
    "inference_mode": "it freezes the adapter",
    "auto_mapping": _SAVED,
    "peft_version": _SAVED,
    "base_model_name_or_path": _SAVED,
    "revision": _SAVED,
}
"""The other fields of `peft.LoraConfig`, each with the reason why a spec does not take it."""
