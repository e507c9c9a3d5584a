"""What the checks of this plugin say of recorded facts, and what their measurements see and leave behind."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from PIL import Image
from retfound_users import tiny
from retspec.plugin import Inconclusive, SubjectError
from retspec.subjects.checkpoints import find
from retspec.toolkit import trace
from torch import nn

from retspec_retfound import transforms
from retspec_retfound.building import retfound
from retspec_retfound.checks.retfound_checkpoint_role import retfound_checkpoint_role
from retspec_retfound.checks.retfound_pooling import retfound_pooling
from retspec_retfound.checks.retfound_preprocessing import retfound_preprocessing
from retspec_retfound.contracts import CONTRACTS, HALF, IMAGENET_MEAN, IMAGENET_STD
from retspec_retfound.layout import retfound_layout
from retspec_retfound.tail import retfound_tail

if TYPE_CHECKING:
    from pathlib import Path

    from retspec_retfound.facts import Tail

# Pooling -------------------------------------------------------------------------------------------


def tail_of(model: nn.Module, backbone: str, pixels: int) -> Tail:
    found: Tail = retfound_tail(model, trace(model.eval(), torch.zeros(1, 3, pixels, pixels)), backbone=backbone)
    return found


@pytest.mark.parametrize("backbone", CONTRACTS)
def test_every_backbone_has_the_features_of_its_reference_and_of_no_other(backbone: str) -> None:
    contract = CONTRACTS[backbone]
    found = tail_of(
        retfound(backbone, num_classes=5, depth=2, img_size=4 * contract.patch_size), backbone, 4 * contract.patch_size
    )
    assert retfound_pooling(found).value < 1e-6
    assert sorted(found.differences.values())[1] > 1e-2


def test_half_precision_is_measured_in_single_and_the_model_left_as_it_was() -> None:
    model = tiny().to(torch.bfloat16)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    geometry = trace(model.eval(), torch.zeros(1, 3, 32, 32, dtype=torch.bfloat16))
    model.train()
    assert retfound_pooling(retfound_tail(model, geometry, backbone="large")).value < 1e-6
    assert model.training
    assert all(tensor.equal(before[name]) for name, tensor in model.state_dict().items())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())


def test_a_model_without_blocks_is_refused() -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(3072, 5))
    with pytest.raises(SubjectError, match="not a vision transformer"):
        tail_of(model, "large", 32)


class Probe(nn.Module):
    """A backbone, and a head that begins with a norm, side by side in one module."""

    def __init__(self, **options: Any) -> None:
        super().__init__()
        self.backbone = tiny(num_classes=0, **options)
        self.norm, self.fc = nn.LayerNorm(48), nn.Linear(48, 5)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        outputs: torch.Tensor = self.fc(self.norm(self.backbone(images)))
        return outputs


@pytest.mark.parametrize("first", [nn.LayerNorm(48), nn.Sequential(nn.LayerNorm(48), nn.GELU()), nn.Dropout()])
def test_a_head_may_begin_with_a_norm_of_its_own(first: nn.Module) -> None:
    model = tiny()
    model.head = nn.Sequential(first, nn.Linear(48, 5))
    assert retfound_pooling(tail_of(model, "large", 32)).value < 1e-6
    adapted = get_peft_model(model, LoraConfig(r=2, target_modules=["qkv"], modules_to_save=["head"]))
    found = tail_of(adapted, "large", 32)
    assert retfound_pooling(found).value < 1e-6
    assert "head" in found.place


def test_a_norm_between_backbone_and_head_is_the_head_s() -> None:
    found = tail_of(Probe(), "large", 32)
    assert retfound_pooling(found).value < 1e-6
    assert found.place == "behind backbone"


def test_such_a_head_makes_no_wrong_pooling_right() -> None:
    wrong = tiny(fc_norm=False)
    wrong.head = nn.Sequential(nn.LayerNorm(48), nn.Linear(48, 5))
    assert retfound_pooling(tail_of(wrong, "large", 32)).value > 1e-2
    assert retfound_pooling(tail_of(Probe(global_pool="token"), "large", 32)).value > 1e-2


class TwoFeatures(nn.Module):
    """Class token and mean, side by side."""

    def __init__(self) -> None:
        super().__init__()
        self.body = tiny(num_classes=0, global_pool="token")
        self.head = nn.Linear(96, 5)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        tokens = self.body.forward_features(images)
        return self.head(torch.cat([tokens[:, 0], tokens[:, 1:].mean(1)], dim=1))


def test_features_of_another_width_cannot_be_compared() -> None:
    with pytest.raises(SubjectError, match=r"features of shape \(2, 96\), and the tokens have 48 channels"):
        tail_of(TwoFeatures(), "large", 32)


# Role ----------------------------------------------------------------------------------------------


def role_of(held: Any, folder: Path) -> str:
    torch.save(held, folder / "w.pth")
    return str(retfound_checkpoint_role(retfound_layout(find("w.pth", folder))).value)


@pytest.mark.parametrize(
    ("kind", "role"),
    [("mae", "foundation-mae"), ("dinov2", "foundation-dinov2"), ("green", "green"), ("finetuned", "finetuned")],
)
def test_every_published_file_is_recognised_by_its_layout(kind: str, role: str, samples: Path) -> None:
    layout = retfound_layout(find(f"RETFound_{kind}.pth", samples))
    assert retfound_checkpoint_role(layout).value == role


def test_imagenet_is_recognised_by_its_head(samples: Path, tmp_path: Path) -> None:
    weights = torch.load(samples / "RETFound_green.pth") | {"head.weight": torch.zeros(1000, 384)}
    assert role_of(weights, tmp_path) == "imagenet"


def test_green_of_the_generic_size_is_not_green(samples: Path, tmp_path: Path) -> None:
    weights = torch.load(samples / "RETFound_green.pth") | {"pos_embed": torch.zeros(1, 1369, 384)}
    assert role_of(weights, tmp_path) == "other"


@pytest.mark.parametrize("held", [{"fc.weight": torch.zeros(2, 2)}, {"patch_embed.proj.weight": torch.zeros(2)}, {}])
def test_what_is_none_of_them_is_other(held: dict[str, Any], tmp_path: Path) -> None:
    assert role_of(held, tmp_path) == "other"


def test_an_encoder_alone_could_be_anybodys(samples: Path, tmp_path: Path) -> None:
    with torch.serialization.safe_globals([Namespace]):
        weights = torch.load(samples / "RETFound_mae.pth")["model"]
    encoder = {name: tensor for name, tensor in weights.items() if not name.startswith("decoder_")}
    with pytest.raises(Inconclusive, match="does not say whose it is"):
        role_of({"model": encoder}, tmp_path)


# Preprocessing -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Prepared:
    """The facts of retspec's measurement `pipeline`."""

    output_size: tuple[int, ...] = (3, 224, 224)
    mean: tuple[float, ...] = IMAGENET_MEAN
    std: tuple[float, ...] = IMAGENET_STD
    keeps_aspect: bool = True
    cropped: float = 0.875
    interpolation: str | None = "bicubic"


GREEN = Prepared((3, 392, 392), HALF, HALF, keeps_aspect=False, cropped=1.0, interpolation="bilinear")


@pytest.mark.parametrize(
    ("backbone", "prepared"),
    [
        ("large", Prepared()),
        ("dinov2", Prepared()),
        ("green", GREEN),
        ("large", Prepared(mean=(0.4851, 0.4559, 0.4062), cropped=0.876, interpolation=None)),
    ],
)
def test_what_the_backbone_was_trained_with_deviates_in_nothing(backbone: str, prepared: Prepared) -> None:
    assert retfound_preprocessing(prepared, backbone=backbone).value == 0


@pytest.mark.parametrize(
    ("change", "aspect"),
    [
        ({"output_size": (3, 256, 256)}, "size"),
        ({"mean": HALF}, "mean"),
        ({"mean": (0.485,)}, "mean"),
        ({"std": HALF}, "std"),
        ({"keeps_aspect": False}, "aspect"),
        ({"cropped": 1.0}, "crop"),
        ({"interpolation": "bilinear"}, "interpolation"),
    ],
)
def test_each_deviation_is_named_and_may_be_meant(change: dict[str, Any], aspect: str) -> None:
    changed = replace(Prepared(), **change)
    observed = retfound_preprocessing(changed, backbone="large")
    assert (observed.value, list(observed.details)) == (1, [aspect, "ignored"])
    assert retfound_preprocessing(changed, backbone="large", ignore=[aspect]).value == 0


def test_the_backbones_take_each_others_images_for_wrong() -> None:
    assert retfound_preprocessing(GREEN, backbone="large").value == 6
    assert retfound_preprocessing(Prepared(), backbone="green").value == 6


@pytest.mark.parametrize("backbone", CONTRACTS)
def test_the_transforms_do_what_their_backbone_expects(backbone: str) -> None:
    """White comes out as (1 - mean) / std; of a wide image with white edges only a squeeze keeps the edges."""
    contract = CONTRACTS[backbone]
    wide = Image.new("RGB", (1024, 512))
    wide.paste("white", (0, 0, 100, 512))
    made = getattr(transforms, backbone)()
    white = made(Image.new("RGB", (600, 600), "white"))
    assert tuple(white.shape) == (3, contract.input_size, contract.input_size)
    expected = [(1 - mean) / std for mean, std in zip(contract.mean, contract.std, strict=True)]
    assert white.mean(dim=(1, 2)).tolist() == pytest.approx(expected, abs=1e-5)
    assert bool(made(wide)[0, :, 0].max() > 0.9) is not contract.keeps_aspect
