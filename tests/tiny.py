"""Tiny real models, healthy and with one planted fault each: what people really do to their models."""

from __future__ import annotations

import warnings
from argparse import Namespace
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any

import timm
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import save_file
from torch import nn

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Self

    from peft import PeftModel
    from torch import Tensor

CLASSES = 3


def base(**kwargs: Any) -> nn.Module:
    """A ViT of two blocks on 32 pixels: 16 patches and a class token."""
    sizes = {"img_size": 32, "patch_size": 8, "embed_dim": 48, "depth": 2, "num_heads": 2, "num_classes": CLASSES}
    return timm.create_model("vit_tiny_patch16_224", **{**sizes, **kwargs})


def vit(**lora: Any) -> PeftModel:
    """The same with LoRA on qkv and a saved head."""
    settings = {"r": 4, "lora_alpha": 16, "target_modules": ["qkv"], "modules_to_save": ["head"], **lora}
    return get_peft_model(base(), LoraConfig(**settings))


def base_without_zeros() -> nn.Module:
    """One whose values are all large enough for a step to be lost in rounding."""
    model = base()
    for parameter in model.parameters():
        parameter.data[parameter.abs() < 0.01] = 0.01
    return model


def looks_at_its_weights() -> nn.Module:
    """One that cannot be built on the meta device: it takes a number out of a tensor."""
    model = base()
    float(model.head.weight.sum())
    return model


def convnet() -> nn.Module:
    """A convolution, a BatchNorm, a classifier; everything trains."""
    return nn.Sequential(nn.Conv2d(3, 8, 4, stride=4), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Linear(512, 3))


def synced_convnet() -> nn.Module:
    """The same, its BatchNorm over all ranks."""
    return nn.SyncBatchNorm.convert_sync_batchnorm(convnet())


class Attending(nn.Module):
    """A patch embedding, an attention of torch, a head."""

    def __init__(self) -> None:
        super().__init__()
        self.patch = nn.Conv2d(3, 16, 8, 8)
        self.attn = nn.MultiheadAttention(16, 2, batch_first=True)
        self.head = nn.Linear(16, CLASSES)

    def forward(self, inputs: Tensor) -> Tensor:
        tokens = self.patch(inputs).flatten(2).mT
        outputs: Tensor = self.head((tokens + self.attn(tokens, tokens, tokens, need_weights=False)[0]).mean(1))
        return outputs


def multihead() -> PeftModel:
    """An attention of torch with LoRA, which peft merges and unmerges in every forward pass."""
    return get_peft_model(Attending(), LoraConfig(r=2, target_modules=["attn"], modules_to_save=["head"]))


def warns_of_an_argument() -> PeftModel:
    """As a library does that takes any argument: it says what it ignores, and goes on."""
    warnings.warn("the argument 'drop_pth' is ignored", stacklevel=2)
    return vit()


# What trains ---------------------------------------------------------------------------------------


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


class Scored(nn.Module):
    """A classifier, and a head for another task that runs after it."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.head, self.quality = nn.Linear(3072, 16), nn.Linear(16, CLASSES), nn.Linear(16, 1)

    def forward(self, inputs: Tensor) -> dict[str, Tensor]:
        features = self.body(inputs.flatten(1)).relu()
        return {"logits": self.head(features), "quality": self.quality(features)}


class Described(nn.Module):
    """Returns its features in front of its predictions, under names of its own, or as a tuple."""

    def __init__(self, kind: str = "mapping") -> None:
        super().__init__()
        self.kind, self.body, self.head = kind, nn.Linear(3072, 16), nn.Linear(16, CLASSES)

    def forward(self, inputs: Tensor) -> Any:
        features = self.body(inputs.flatten(1)).relu()
        predictions = self.head(features)
        found = {
            "mapping": {"features": features, "pred": predictions},
            "tuple": (features, predictions),
            "one": {"pred": predictions, "loss": None},
        }
        return found[self.kind]


def second_of(output: tuple[Tensor, Tensor]) -> Tensor:
    return output[1]


def one_output() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(3072, 1))


def squared(logits: Tensor, targets: Tensor) -> Tensor:
    """As people write it: outputs of (N, 1) and targets of (N,) broadcast to (N, N)."""
    return ((logits - targets) ** 2).mean()


def mean_squared(logits: Tensor, targets: Tensor) -> Tensor:
    return nn.functional.mse_loss(logits, targets)


def squeezed(logits: Tensor, targets: Tensor) -> Tensor:
    return nn.functional.mse_loss(logits.squeeze(1), targets)


def ranked(logits: Tensor, targets: Tensor) -> Tensor:
    """Pairs on purpose: outputs with outputs, and targets with targets."""
    apart, order = logits - logits.T, (targets[:, None] - targets).sign()
    return nn.functional.softplus(-apart * order).mean()


def measured() -> tuple[Tensor, Tensor]:
    """Images with a number each."""
    return torch.randn(6, 3, 32, 32), torch.randn(6) + 1


def labelled(kind: str) -> tuple[Tensor, Tensor]:
    """Images with several labels each, with shares of classes, or with numbers that are neither."""
    targets = {
        "several": torch.tensor([[1.0, 1.0, 0.0]] * 6),
        "shares": torch.tensor([[0.25, 0.5, 0.25]] * 6),
        "numbers": torch.tensor([[2.0, 0.0, -1.0]] * 6),
    }
    return torch.randn(6, 3, 32, 32), targets[kind]


class Listed(nn.Module):
    """Keeps its layers in a list: they compute, and nothing trains, saves or moves them."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = [nn.Linear(3072, 16), nn.Linear(16, 16)]
        self.head = nn.Linear(16, CLASSES)

    def forward(self, inputs: Tensor) -> Tensor:
        hidden = inputs.flatten(1)
        for layer in self.layers:
            hidden = layer(hidden).relu()
        outputs: Tensor = self.head(hidden)
        return outputs


def ends_in_softmax() -> nn.Module:
    return nn.Sequential(base(), nn.Softmax(-1))


def ends_in_relu() -> nn.Module:
    return nn.Sequential(base(), nn.ReLU())


def only_the_other_head_trains() -> nn.Module:
    model = Scored()
    model.head.requires_grad_(requires_grad=False)
    return model


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


def headless() -> nn.Module:
    return base(num_classes=0)


def nothing_trains() -> nn.Module:
    return base().requires_grad_(requires_grad=False)


def patch_embedding_adapted() -> PeftModel:
    return vit(target_modules=["qkv", "proj"])


# What learns ---------------------------------------------------------------------------------------


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


class RootOfZero(nn.Module):
    """Finite in the forward pass, infinite in the backward pass."""

    def forward(self, inputs: Tensor) -> Tensor:
        return inputs + (inputs - inputs.detach()).abs().sqrt()


def infinite_gradient() -> nn.Module:
    return nn.Sequential(nn.Flatten(), RootOfZero(), nn.Linear(3072, 8), RootOfZero(), nn.Linear(8, CLASSES))


class Scale(nn.Module):
    """Multiplies by a constant: logits far too large."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, inputs: Tensor) -> Tensor:
        return inputs * self.factor


def inputs_zeroed() -> nn.Module:
    """A transform that destroys its input: only the class frequencies are left to learn."""
    return nn.Sequential(Scale(0.0), vit())


class Attended(nn.Module):
    """Two biases whose true gradient is zero: a key's, and that of a convolution in front of a normalization."""

    def __init__(self) -> None:
        super().__init__()
        self.patch, self.norm = nn.Conv2d(3, 16, 8, 8), nn.InstanceNorm2d(16)
        self.query, self.key, self.value = nn.Linear(16, 16), nn.Linear(16, 16), nn.Linear(16, 16)
        self.head = nn.Linear(16, CLASSES)

    def forward(self, inputs: Tensor) -> Tensor:
        tokens = self.norm(self.patch(inputs)).flatten(2).mT
        attended = nn.functional.scaled_dot_product_attention(self.query(tokens), self.key(tokens), self.value(tokens))
        outputs: Tensor = self.head(attended.square().mean(1))
        return outputs


def logits_too_large() -> nn.Module:
    return nn.Sequential(base(), Scale(500.0))


def wrong_sign(logits: Tensor, targets: Tensor) -> Tensor:
    """A loss that rewards being wrong."""
    return -nn.functional.cross_entropy(logits, targets)


def cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """The usual loss, as somebody's own function."""
    return nn.functional.cross_entropy(logits, targets)


def broken_loss(logits: Tensor, targets: Tensor) -> Tensor:
    raise ValueError(f"no loss for {logits.shape[0]} and {targets.shape[0]}")


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


# What merges ---------------------------------------------------------------------------------------


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


# What is no model, and what is no batch ------------------------------------------------------------


def raises() -> nn.Module:
    raise RuntimeError("the weights are on a disk that is not mounted")


def returns_a_dict() -> dict[str, int]:
    return {"model": 1}


def batch(size: int = 6) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(size, 3, 32, 32, generator=generator), torch.arange(size) % CLASSES


def mapping_batch() -> dict[str, Tensor]:
    inputs, targets = batch()
    return {"pixel_values": inputs, "labels": targets}


class Items(torch.utils.data.Dataset[Any]):
    """Sorted by class, as folders are."""

    def __init__(self, *, mappings: bool = False, classes: int = CLASSES) -> None:
        self.inputs, _ = batch(30)
        self.mappings = mappings
        self.classes = classes

    def __len__(self) -> int:
        return 30

    def __getitem__(self, index: int) -> Any:
        image, label = self.inputs[index], index * self.classes // 30
        return {"image": image, "label": label} if self.mappings else (image, label)


def dataset(*, mappings: bool = False, classes: int = CLASSES) -> Items:
    return Items(mappings=mappings, classes=classes)


def loader() -> torch.utils.data.DataLoader[Any]:
    return torch.utils.data.DataLoader(Items(), batch_size=5, shuffle=True)


def odd_mapping() -> dict[str, Tensor]:
    inputs, _ = batch()
    return {"scan": inputs}


# What agrees, repeats and stays apart --------------------------------------------------------------


class Between(nn.Module):
    """Any function between a flattened image and a classifier; everything trains."""

    def __init__(self, function: Callable[[Any, Tensor], Tensor], width: int = 16) -> None:
        super().__init__()
        self.embed = nn.Linear(3 * 32 * 32, width)
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, CLASSES)
        self.register_buffer("count", torch.zeros(()))
        self.kept: list[Tensor] = []
        self._function = function

    def forward(self, inputs: Tensor) -> Tensor:
        return self.head(self._function(self, self.norm(self.embed(inputs.flatten(1)))))


def plain() -> nn.Module:
    """No fault."""
    return Between(lambda _self, hidden: hidden)


def root_of_zero() -> nn.Module:
    """Finite in the forward pass, infinite in the backward pass."""
    return Between(lambda _self, hidden: hidden + (hidden - hidden.detach()).abs().sqrt())


def loud() -> nn.Module:
    """Features a thousand times too large."""
    return Between(lambda _self, hidden: hidden * 1000)


class Standing(nn.BatchNorm1d):
    """A BatchNorm in eval mode for good."""

    def train(self, *_mode: bool, **_named: bool) -> Self:
        return super().train(mode=False)


def normalized_by_batch() -> nn.Module:
    """A BatchNorm that nobody trains, whose statistics stand still."""

    def normalize(self: Any, hidden: Tensor) -> Tensor:
        return self.batch_norm(hidden)

    model = Between(normalize)
    model.batch_norm = Standing(16)
    return model


def vanishing() -> nn.Module:
    """A scale near zero: what lies before it gets next to no gradient."""
    return Between(lambda _self, hidden: hidden * 1e-9)


def keeps_activations() -> nn.Module:
    """Features for a plot that nobody makes, never thrown away."""

    def keep(self: Any, hidden: Tensor) -> Tensor:
        self.kept.append(hidden)
        return hidden

    return Between(keep)


def overflows_in_half() -> nn.Module:
    """A gradient that no loss scale above one lets through float16."""

    class Loud(torch.autograd.Function):
        @staticmethod
        def forward(_context: Any, hidden: Tensor) -> Tensor:
            return hidden.clone()

        @staticmethod
        def backward(_context: Any, gradient: Tensor) -> Tensor:
            return gradient * 1e38

    return Between(lambda _self, hidden: Loud.apply(hidden))


def cancels_in_half() -> nn.Module:
    """A difference of large products, of which half precision keeps no digit."""
    return Between(
        lambda self, hidden: (
            (self.embed.weight[:, :16] @ hidden.T).T * 100 - hidden @ (self.embed.weight[:, :16].T * 99.9)
        )
    )


def offset_in_half() -> nn.Module:
    """A large offset that is taken off again: bfloat16 keeps steps of 0.5 there, float32 those of 1e-5."""
    return Between(lambda _self, hidden: hidden @ torch.eye(hidden.shape[-1]) + 100 - 100)


def unseeded_noise() -> nn.Module:
    """Noise from a generator of its own, which no seed of the run sets back."""
    generator = torch.Generator().manual_seed(0)
    return Between(lambda _self, hidden: hidden + torch.randn(hidden.shape, generator=generator))


def dropout_in_eval() -> nn.Module:
    """`F.dropout` without `self.training`."""
    return Between(lambda _self, hidden: nn.functional.dropout(hidden, 0.3))


def counts_in_eval() -> nn.Module:
    """A running count that does not ask for the mode."""

    def count(self: Any, hidden: Tensor) -> Tensor:
        self.count += 1
        return hidden

    return Between(count)


def norm_over_batch() -> nn.Module:
    """Statistics over the batch, in eval mode too."""
    return Between(lambda _self, hidden: hidden - hidden.mean(0))


def view_for_transpose() -> nn.Module:
    """`view` where `transpose` was meant: the rows of the batch get mixed."""
    return Between(lambda _self, hidden: hidden.view(hidden.shape[1], hidden.shape[0]).T.contiguous())


def other_when_compiled() -> nn.Module:
    """A branch that only the compiled model takes."""
    return Between(lambda _self, hidden: hidden * 2 if torch.compiler.is_compiling() else hidden)


def head_trained_but_not_saved() -> PeftModel:
    """The head is unfrozen by hand, and peft does not know of it."""
    model = vit(modules_to_save=None)
    for parameter in model.base_model.model.head.parameters():
        parameter.requires_grad = True
    return model


def summed_cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """A sum where accumulation expects a mean."""
    return nn.functional.cross_entropy(logits, targets, reduction="sum")


# What a step takes ---------------------------------------------------------------------------------


def asks_for_a_number() -> nn.Module:
    """Which way it goes depends on the values of its inputs."""
    return Between(lambda _self, hidden: hidden * 2 if float(hidden.detach().sum()) > 0 else hidden)


def compares_images() -> nn.Module:
    """Every image with every other: memory grows with the square of the batch."""
    return Between(lambda _self, hidden: (hidden @ hidden.T).softmax(-1) @ hidden)


# What a checkpoint fills ---------------------------------------------------------------------------


def initializes_after_loading() -> nn.Module:
    """A linear layer is made anew once the weights are loaded, as careless quantization does."""
    model = base()
    model.register_load_state_dict_post_hook(lambda module, _keys: module.blocks[1].mlp.fc1.reset_parameters())
    return model


def write_checkpoints(folder: Path) -> None:
    """Write the files that the cases name, in the layouts that training scripts leave behind."""
    torch.manual_seed(0)
    weights = base().state_dict()
    body = {name: tensor for name, tensor in weights.items() if not name.startswith("head.")}
    decoder = {name: torch.zeros(3) for name in ("mask_token", "decoder_embed.weight", "decoder_norm.bias")}
    bad = {**body, "blocks.0.norm1.weight": torch.full((48,), float("nan"))}
    torch.save({"model": {**body, **decoder}, "epoch": 3, "args": Namespace(lr=1e-3)}, folder / "mae.pth")
    torch.save({"state_dict": {f"module.{name}": t for name, t in body.items()}}, folder / "prefixed.pth")
    torch.save({name: tensor for name, tensor in body.items() if "blocks.1" not in name}, folder / "half.pth")
    torch.save(base(num_classes=7).state_dict(), folder / "seven-classes.pth")
    torch.save(bad, folder / "nan.pth")
    torch.save({"network": body}, folder / "odd-wrapper.pth")
    torch.save({f"encoder.{name}": tensor for name, tensor in body.items()}, folder / "odd-prefix.pth")
    torch.save({name: tensor.bfloat16() for name, tensor in body.items()}, folder / "half-precision.pth")
    torch.save(base(img_size=48).state_dict(), folder / "larger-image.pth")
    (folder / "cut-short.pth").write_bytes((folder / "mae.pth").read_bytes()[:5000])
    (folder / "pointer.pth").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1200000000\n")
    save_file(body, folder / "plain.safetensors")


class Loading(nn.Module):
    """A class of somebody's own: it loads its file itself, and peft's model is one attribute deep."""

    def __init__(self, weights: dict[str, Tensor], **sizes: int) -> None:
        super().__init__()
        model = base(**sizes)
        model.load_state_dict(weights, strict=False)
        settings = LoraConfig(r=4, target_modules=["qkv"], modules_to_save=["head"])
        self.backbone = get_peft_model(model, settings)

    def forward(self, images: Tensor) -> Tensor:
        return self.backbone(images)


def loads_itself(path: str) -> Loading:
    weights = torch.load(path)["state_dict"]
    return Loading({name.removeprefix("module."): tensor for name, tensor in weights.items()})


def loads_nothing(path: str) -> Loading:
    """The prefix `module.` stays on, and the result of a load that is not strict is thrown away."""
    return Loading(torch.load(path)["state_dict"])


# Faults around a healthy adapter --------------------------------------------------------------------


def adapted(fault: str) -> PeftModel:
    """Adapt the embedding of a `Between` and save its head: every check has something to say.

    fault: `module:function` that makes it, or a function of this module.
    """
    model: nn.Module = resolve_name(fault if ":" in fault else f"{__name__}:{fault}")()
    return get_peft_model(model, LoraConfig(r=4, lora_alpha=16, target_modules=["embed"], modules_to_save=["head"]))


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
