"""Models as they are found: several adapters, computed weights, what train() freezes, what a batch has to finish."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from peft import LoraConfig, get_peft_model
from torch import nn
from torchvision.ops import StochasticDepth

from tests.tiny import CLASSES, base, vit
from tests.tiny_between import Between

if TYPE_CHECKING:
    from peft import PeftModel
    from torch import Tensor

SETTINGS: dict[str, Any] = {"r": 4, "lora_alpha": 16, "target_modules": ["qkv"]}

# Adapters ------------------------------------------------------------------------------------------


def called_otherwise() -> PeftModel:
    """peft saves an adapter in a folder of its name, unless that is "default"."""
    config = LoraConfig(**SETTINGS, modules_to_save=["head"])
    return get_peft_model(base(), config, adapter_name="fundus")


def two_adapters(**settings: Any) -> PeftModel:
    """Both are at work in the same layers, and both train."""
    model = get_peft_model(base(), LoraConfig(**SETTINGS, **settings))
    model.add_adapter("second", LoraConfig(**SETTINGS, **settings))
    model.base_model.set_adapter(["default", "second"])
    return model


def one_of_two_forgotten() -> PeftModel:
    """The second adapter is at work and trains, and `save_pretrained` is told to leave it out."""
    model = two_adapters()
    save = model.save_pretrained

    def save_the_first(folder: str) -> None:
        save(folder)
        save(f"{folder}/second", selected_adapters=["default"])

    model.save_pretrained = save_the_first
    return model


def quantized() -> PeftModel:
    """The configuration of an adapter that LoftQ initialized."""
    model = vit()
    model.peft_config["default"].init_lora_weights = "loftq"
    return model


# Weights -------------------------------------------------------------------------------------------


class Normed(nn.Module):
    """A layer under weight norm, in its old or its new form: the weight is computed in every pass."""

    def __init__(self, *, old: bool = False) -> None:
        super().__init__()
        norm = nn.utils.weight_norm if old else nn.utils.parametrizations.weight_norm
        self.body, self.head = norm(nn.Linear(3072, 16)), nn.Linear(16, CLASSES)

    def forward(self, inputs: Tensor) -> Tensor:
        outputs: Tensor = self.head(self.body(inputs.flatten(1)).relu())
        return outputs


class Tied(nn.Module):
    """Two layers have one weight; in `by_block`, one layer runs twice."""

    def __init__(self, *, by_block: bool = False) -> None:
        super().__init__()
        self.embed, self.head = nn.Linear(3072, 16), nn.Linear(16, CLASSES)
        self.first, self.second = nn.Linear(16, 16), nn.Linear(16, 16)
        self.second.weight = self.first.weight
        self.by_block = by_block

    def forward(self, inputs: Tensor) -> Tensor:
        hidden = self.embed(inputs.flatten(1))
        for layer in (self.first, self.first if self.by_block else self.second):
            hidden = hidden + layer(hidden).tanh()
        outputs: Tensor = self.head(hidden)
        return outputs


class Filter(nn.Module):
    """A filter in Fourier space, whose weights are complex numbers: https://arxiv.org/abs/2107.00645."""

    def __init__(self) -> None:
        super().__init__()
        self.filter = nn.Parameter(torch.randn(3, 32, 17, dtype=torch.complex64))
        self.head = nn.Linear(3072, CLASSES)

    def forward(self, inputs: Tensor) -> Tensor:
        filtered = torch.fft.irfft2(torch.fft.rfft2(inputs) * self.filter, s=(32, 32))
        outputs: Tensor = self.head(filtered.flatten(1))
        return outputs


class TurnedPhase(Filter):
    """The gradient of a micro-batch loses its imaginary part; that of the whole batch keeps it."""

    def forward(self, inputs: Tensor) -> Tensor:
        whole = inputs.shape[0] == 6
        kept = self.filter if whole else torch.complex(self.filter.real, self.filter.imag.detach())
        filtered = torch.fft.irfft2(torch.fft.rfft2(inputs) * kept, s=(32, 32))
        outputs: Tensor = self.head(filtered.flatten(1))
        return outputs


class Prototypes(nn.Module):
    """The head is a matrix that no module holds; either it or what is in front of it trains."""

    def __init__(self, *, trained: bool, normalized: bool = False) -> None:
        super().__init__()
        self.body = nn.Linear(3072, 16).requires_grad_(not trained)
        self.prototypes = nn.Parameter(torch.randn(CLASSES, 16), requires_grad=trained)
        self.normalized = normalized

    def forward(self, inputs: Tensor) -> Tensor:
        features, matrix = self.body(inputs.flatten(1)).relu(), self.prototypes
        if self.normalized:
            features, matrix = (nn.functional.normalize(each, dim=1) for each in (features, matrix))
        outputs: Tensor = features @ matrix.T
        return outputs


def lazy() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.LazyLinear(16), nn.ReLU(), nn.LazyLinear(CLASSES))


def without_values() -> nn.Module:
    """A part is built on the meta device, and nobody fills it."""
    model = nn.Sequential(nn.Flatten(), nn.Linear(3072, 16), nn.Linear(16, CLASSES))
    return model.append(nn.Linear(CLASSES, CLASSES, device="meta"))


# What train() does ---------------------------------------------------------------------------------


class FreezesItsBody(Between):
    """Freezes its embedding and its normalization in `train`, as backbones with `frozen_stages` do."""

    def train(self, mode: bool = True) -> FreezesItsBody:  # noqa: FBT001, FBT002 - the signature of torch
        super().train(mode)
        self.embed.requires_grad_(requires_grad=False)
        self.norm.requires_grad_(requires_grad=False)
        return self


def freezes_its_body() -> nn.Module:
    return FreezesItsBody(lambda _self, hidden: hidden)


class _FreezingBlocks(nn.Sequential):
    def train(self, mode: bool = True) -> _FreezingBlocks:  # noqa: FBT001, FBT002 - the signature of torch
        super().train(mode)
        self.requires_grad_(requires_grad=False)
        return self


def train_freezes_the_adapter() -> PeftModel:
    """The blocks freeze all that is in them at every `train`, and so the adapters that came later."""
    model = vit()
    inner = model.base_model.model
    inner.blocks = _FreezingBlocks(*inner.blocks)
    return model


# Random numbers ------------------------------------------------------------------------------------


def functional_dropout() -> nn.Module:
    def drop(self: Any, hidden: Tensor) -> Tensor:
        attended = nn.functional.scaled_dot_product_attention(
            *[hidden[:, None, None]] * 3, dropout_p=0.5 if self.training else 0.0
        )
        return hidden + nn.functional.dropout(attended[:, 0, 0], 0.5, self.training)

    return Between(drop)


class _Deep(Between):
    def __init__(self) -> None:
        super().__init__(lambda self, hidden: hidden + self.skip(hidden.tanh()))
        self.skip = StochasticDepth(0.5, "row")


def stochastic_depth() -> nn.Module:
    return _Deep()


def own_noise() -> nn.Module:
    """Noise in training, of a kind that no probability switches off."""
    return Between(lambda self, hidden: hidden + torch.randn_like(hidden) if self.training else hidden)


# What a micro-batch lacks --------------------------------------------------------------------------


class Standardized(nn.Module):
    """Refuses one image alone, as a layer does that divides by a spread over the batch."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(3072, CLASSES)

    def forward(self, inputs: Tensor) -> Tensor:
        if self.training and len(inputs) == 1:
            raise ValueError("expected more than one image")
        outputs: Tensor = self.head(inputs.flatten(1))
        return outputs


class FrozenNorms(nn.Sequential):
    """Keeps its BatchNorms in eval mode, as detectors do."""

    def train(self, mode: bool = True) -> FrozenNorms:  # noqa: FBT001, FBT002 - the signature of torch
        super().train(mode)
        self[1].eval()
        return self


def frozen_norms() -> nn.Module:
    return FrozenNorms(
        nn.Conv2d(3, 8, 4, stride=4), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Linear(512, CLASSES)
    )


def another_each_time() -> nn.Module:
    """A base with a weight that no seed reaches: another process has another one."""
    model = base()
    with torch.no_grad():
        model.norm.weight.copy_(1 + torch.rand(model.norm.weight.shape, generator=_UNSEEDED))
    return model


_UNSEEDED = torch.Generator()
_UNSEEDED.seed()
