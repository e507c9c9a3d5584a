"""Tiny adapted models with one planted fault each, of what trains, learns, merges or is saved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import timm
import torch
from peft import LoraConfig, get_peft_model
from torch import nn

from tests.tiny import CLASSES, convnet, vit

if TYPE_CHECKING:
    from collections.abc import Callable

    from peft import PeftModel
    from torch import Tensor


def adapter_never_trained() -> PeftModel:
    model = vit()
    for name, parameter in model.named_parameters():
        if "lora_" in name:
            parameter.requires_grad = False
    return model


def base_left_unfrozen() -> PeftModel:
    model = vit()
    model.base_model.model.blocks[0].norm1.weight.requires_grad = True
    return model


def distilled(**lora: Any) -> PeftModel:
    """A distilled DeiT: the logits are the mean of two heads."""
    sizes = {"img_size": 32, "patch_size": 8, "embed_dim": 48, "depth": 2, "num_heads": 2, "num_classes": CLASSES}
    model = timm.create_model("deit_tiny_distilled_patch16_224", **sizes)
    settings = {"r": 4, "target_modules": ["qkv"], "modules_to_save": ["head", "head_dist"], **lora}
    return get_peft_model(model, LoraConfig(**settings))


def one_head_of_two_saved() -> PeftModel:
    return distilled(modules_to_save=["head_dist"])


def head_adapted() -> PeftModel:
    """LoRA on the head itself, which is frozen."""
    return vit(target_modules=["qkv", "head"], modules_to_save=None)


def drawn_at_random() -> PeftModel:
    """PiSSA by a randomized decomposition: peft draws another one, for the base too, when it loads the adapter."""
    return vit(init_lora_weights="pissa_niter_1")


def decomposed() -> PeftModel:
    """PiSSA by the full decomposition, which is the same each time."""
    return vit(init_lora_weights="pissa")


def head_misspelt() -> PeftModel:
    return vit(modules_to_save=["haed"])


def head_not_saved() -> PeftModel:
    return vit(modules_to_save=None)


def head_replaced_after_wrapping() -> PeftModel:
    model = vit(modules_to_save=None)
    model.head = nn.Linear(48, CLASSES)
    return model


def patch_embedding_adapted() -> PeftModel:
    return vit(target_modules=["qkv", "proj"])


def merged_before_training() -> PeftModel:
    """Merged layers answer without their adapter's factors, which then get no gradient."""
    model = vit()
    model.merge_adapter()
    return model


def head_behind_detach() -> PeftModel:
    model = vit()
    model.base_model.model.fc_norm.register_forward_hook(lambda _module, _inputs, output: output.detach())
    return model


def nan_weight() -> PeftModel:
    model = vit()
    model.base_model.model.blocks[1].mlp.fc1.weight.data[0, 0] = float("nan")
    return model


def frozen_weight_written() -> PeftModel:
    """Somebody's hook shrinks a frozen weight at every training step."""

    def shrink(module: nn.Module, _inputs: Any) -> None:
        if module.training:
            module.weight.data.mul_(0.999)

    model = vit()
    model.base_model.model.blocks[0].mlp.fc1.register_forward_pre_hook(shrink)
    return model


def lora_on_batchnorm_net() -> PeftModel:
    return get_peft_model(convnet(), LoraConfig(r=2, target_modules=["0"], modules_to_save=["4"]))


def merge_drops_a_layer() -> PeftModel:
    model = vit()
    layer = model.base_model.model.blocks[1].attn.qkv
    layer.merge = lambda *_args, **_kwargs: None
    return model


def unmerge_forgets_a_layer() -> PeftModel:
    model = vit()
    layer = model.base_model.model.blocks[1].attn.qkv
    layer.unmerge = layer.merged_adapters.clear
    return model


def adapter_bypassed() -> PeftModel:
    """The attention reads the weight of qkv itself, past its adapter, as some fused implementations do."""
    model = vit()
    for block in model.base_model.model.blocks:
        block.attn.qkv.forward = _past_the_adapter(block.attn.qkv)
    return model


def _past_the_adapter(layer: Any) -> Callable[[Tensor], Tensor]:
    return lambda inputs: nn.functional.linear(inputs, layer.get_base_layer().weight, layer.get_base_layer().bias)


def head_trained_but_not_saved() -> PeftModel:
    """The head is unfrozen by hand, and peft does not know of it."""
    model = vit(modules_to_save=None)
    for parameter in model.base_model.model.head.parameters():
        parameter.requires_grad = True
    return model


def stale_adapter() -> PeftModel:
    """A second adapter is added after the first, and never made the active one: what trains is not what is used."""
    model = vit()
    model.add_adapter("second", LoraConfig(r=4, target_modules=["qkv"], modules_to_save=["head"]))
    for name, parameter in model.named_parameters():
        parameter.requires_grad = "second" in name
    return model


def half_adapters() -> PeftModel:
    """The whole wrapped model is cast down, adapters and head included."""
    return vit().to(torch.bfloat16)


def scaled_up_adapter() -> PeftModel:
    """lora_alpha was edited: the update is a thousand times too strong."""
    return vit(lora_alpha=16_000)


def adapter_scaled_apart() -> PeftModel:
    return vit(alpha_pattern={"blocks.1.attn.qkv": 8})
