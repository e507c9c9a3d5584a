"""The rollout of attention is that of explicit softmax attention, and reading it changes no model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import timm
import torch
from peft import LoraConfig, get_peft_model
from timm.models.vision_transformer import ParallelScalingBlock, VisionTransformer
from torch import nn

from retspec.subjects.models.rollout import Rollout
from tests.tiny import base, convnet, vit

if TYPE_CHECKING:
    from torch import Tensor


def adapted() -> nn.Module:
    """One with LoRA that adds something to queries and keys."""
    model = vit()
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            nn.init.normal_(parameter, generator=torch.Generator().manual_seed(1))
    return model


MODELS = {
    "class token": (base, 1, True),
    "LoRA": (adapted, 1, True),
    "LoRA on queries, keys and the output": (
        lambda: get_peft_model(base(depth=3), LoraConfig(target_modules=["qkv", "proj"], init_lora_weights=False)),
        1,
        True,
    ),
    "no class token": (lambda: base(class_token=False, global_pool="avg"), 0, False),
    "class token that the head does not read": (lambda: base(global_pool="avg"), 1, False),
    "registers": (lambda: base(reg_tokens=4), 5, True),
    "normalized queries and keys": (lambda: base(qk_norm=True), 1, True),
    "wide images": (lambda: base(img_size=(32, 64)), 1, True),
    "images of any size": (lambda: base(dynamic_img_size=True, img_size=64), 1, True),
}


def uneven(model: nn.Module) -> nn.Module:
    """Let a model attend to few patches, as one that has learnt something does."""
    for name, parameter in model.named_parameters():
        if name.endswith(("qkv.weight", "qkv.base_layer.weight")):
            nn.init.normal_(parameter, std=0.4, generator=torch.Generator().manual_seed(2))
    return model


def images(model: nn.Module) -> Tensor:
    inner = model.get_base_model() if hasattr(model, "get_base_model") else model
    size = (32, 48) if inner.dynamic_img_size else inner.patch_embed.img_size
    return torch.rand(5, 3, *size, generator=torch.Generator().manual_seed(0))


def reference(model: nn.Module, inputs: Tensor, prefix: int, *, class_token: bool) -> Tensor:
    """Return the rollout (images, patches) with the attention weights of timm's own, which is not fused."""
    weights: list[Tensor] = []
    attentions = [module for module in model.modules() if type(module).__name__ == "Attention"]
    hooks = [each.attn_drop.register_forward_hook(lambda _m, _i, output: weights.append(output)) for each in attentions]  # type: ignore[union-attr]
    for each in attentions:
        each.fused_attn = False  # type: ignore[assignment]
    with torch.no_grad():
        model.eval()(inputs)
    for hook, each in zip(hooks, attentions, strict=True):
        hook.remove()
        each.fused_attn = True  # type: ignore[assignment]
    joint = torch.eye(weights[0].shape[-1]).expand(len(inputs), -1, -1)
    for weight in weights:
        layer = 0.5 * weight.mean(1) + 0.5 * torch.eye(weight.shape[-1])
        joint = torch.bmm(layer / layer.sum(2, keepdim=True), joint)
    rows = joint[:, 0] if class_token else joint[:, prefix:].mean(1)
    return rows[:, prefix:]


def read(model: nn.Module, inputs: Tensor, most: int = 8) -> tuple[list[Tensor], str]:
    rollout = Rollout(model, most)
    with rollout.reading(), torch.no_grad():
        model(inputs)
    return rollout.maps(*inputs.shape[-2:]), rollout.reason


@pytest.mark.parametrize("name", MODELS)
def test_it_is_that_of_explicit_attention(name: str) -> None:
    make, prefix, class_token = MODELS[name]
    model = uneven(make().eval())
    inputs = images(model)
    maps, reason = read(model, inputs)
    assert reason == ""
    rows, columns = inputs.shape[2] // 8, inputs.shape[3] // 8
    assert [tuple(each.shape) for each in maps] == [(rows, columns)] * 5
    found = torch.stack(maps).flatten(1)
    assert torch.allclose(found, reference(model, inputs, prefix, class_token=class_token), atol=1e-6)
    assert float(found.std(1).min()) > 1e-3


def test_a_subclass_whose_pooling_is_a_bool_is_read_as_it_pools() -> None:
    """As in RETFound's own, which overrides what pools: https://github.com/rmaphoh/RETFound."""
    model = uneven(Pooling(img_size=32, patch_size=8, embed_dim=48, depth=2, num_heads=2).eval())
    inputs = images(model)
    found = torch.stack(read(model, inputs)[0]).flatten(1)
    assert torch.allclose(found, reference(model, inputs, 1, class_token=False), atol=1e-6)


@pytest.mark.parametrize("make", [base, adapted], ids=["ViT", "LoRA"])
def test_reading_changes_nothing(make: Any) -> None:
    model, inputs = make().eval(), torch.rand(2, 3, 32, 32)
    state = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    settings = [{**vars(module)} for module in model.modules()]
    with torch.no_grad():
        plain = model(inputs)
    rollout = Rollout(model, 8)
    with rollout.reading(), torch.no_grad():
        assert model(inputs).equal(plain)
    assert all(tensor.equal(state[name]) for name, tensor in model.state_dict().items())
    assert not any(module._forward_hooks for module in model.modules())
    assert [{**vars(module)} for module in model.modules()] == settings


def test_hooks_are_removed_where_the_pass_fails() -> None:
    model = base()
    with pytest.raises(AssertionError, match="32"), Rollout(model, 8).reading():
        model(torch.rand(2, 3, 16, 16))
    assert not any(module._forward_hooks for module in model.modules())


def test_the_first_images_alone_are_read() -> None:
    model = base().eval()
    inputs = images(model)
    every, _ = read(model, inputs)
    some, _ = read(model, inputs, most=2)
    assert len(some) == 2
    assert torch.stack(some).equal(torch.stack(every[:2]))


class Pooling(VisionTransformer):
    """Has a class token, and reads the mean of the patches."""

    def __init__(self, **sizes: Any) -> None:
        super().__init__(**sizes)
        self.global_pool = True  # type: ignore[assignment]

    def pool(self, x: Tensor, pool_type: str | None = None) -> Tensor:
        return super().pool(x, pool_type or "avg")


class Twice(nn.Module):
    """Passes both eyes through one ViT, one after the other."""

    def __init__(self) -> None:
        super().__init__()
        self.vit = base()

    def forward(self, inputs: Tensor) -> Tensor:
        both: Tensor = self.vit(inputs) + self.vit(inputs.flip(-1))
        return both


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (convnet, "Sequential is no Vision Transformer of timm"),
        (lambda: get_peft_model(timm.create_model("resnet10t"), LoraConfig(target_modules=["fc"])), "ResNet is no"),
        (lambda: nn.ModuleList([base(), base()]), "the model has 2 Vision Transformers"),
        (lambda: base(global_pool="map"), "its head reads the patches with an attention of its own"),
        (
            lambda: VisionTransformer(img_size=32, embed_dim=48, depth=1, num_heads=2, block_fn=ParallelScalingBlock),
            "its ParallelScalingBlock computes attention in another way",
        ),
    ],
    ids=["convolutions", "ResNet with LoRA", "two", "attention pooling", "parallel blocks"],
)
def test_another_model_has_one_reason_and_no_hooks(make: Any, reason: str) -> None:
    model = make()
    rollout = Rollout(model, 8)
    assert rollout.reason.startswith(reason)
    with rollout.reading():
        assert not any(module._forward_hooks for module in model.modules())
    assert rollout.maps(32, 32) == []


def test_a_model_that_passes_images_twice_is_left_out() -> None:
    assert read(Twice().eval(), torch.rand(2, 3, 32, 32)) == ([], "it passes images more than once")


def test_a_model_whose_transformer_is_not_called_is_left_out() -> None:
    rollout = Rollout(base(), 8)
    with rollout.reading():
        pass
    assert (rollout.maps(32, 32), rollout.reason) == ([], "0 of its 2 layers were seen")
