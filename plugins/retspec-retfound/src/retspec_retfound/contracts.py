"""What each RETFound backbone was trained with: the one place for its sizes, its preprocessing and its keys.

The figures are those of the authors' own code and instructions (rmaphoh/RETFound at ae9a9ec, its older history at
f5ab012; justinengelmann/RETFound_Green at 767c77e), compared with timm 1.0.31.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from msgspec import Meta

Backbone = Annotated[
    Literal["large", "dinov2", "green"],
    Meta(
        description="large: RETFound, a ViT-L/16 pre-trained as a masked autoencoder. dinov2: RETFound, a ViT-L/14 "
        "pre-trained by DINOv2. green: RETFound_Green, a ViT-S/14 with registers."
    ),
]
Pooling = Literal["avg", "token"]

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
HALF = (0.5, 0.5, 0.5)

MEAN_THEN_NORM = "mean of the patches, then norm"
NORM_THEN_CLASS = "norm, then class token"
NORM_THEN_MEAN = "norm, then mean of the patches"


@dataclass(frozen=True, kw_only=True)
class Contract:
    """A backbone as its checkpoint expects it."""

    source: str
    """Where the authors' code gives these figures."""
    architecture: str
    """Its name in timm."""
    input_size: int
    """Pixels, both sides."""
    patch_size: int
    width: int
    """Channels of a token."""
    depth: int
    """Blocks."""
    prefix_tokens: int
    """Class and register tokens in front of the patches."""
    pooling: Pooling
    fc_norm: bool | None
    """Whether average pooling moves the norm behind it; None leaves it to timm, which does."""
    tail: str
    """What makes the features of the last block's tokens."""
    head_std: float | None
    """Standard deviation of a fresh head, a truncated normal; None leaves it to timm."""
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    interpolation: Literal["bicubic", "bilinear"]
    keeps_aspect: bool
    """Whether the shorter side is scaled and the rest cut off; else both sides are scaled."""
    crop: float
    """Share of the shorter side that survives the crop."""
    missing: tuple[str, ...]
    """Patterns of names that a checkpoint for pre-training lacks, by design."""
    unexpected: tuple[str, ...]
    """Patterns of names that it holds beyond the classifier, by design."""

    @property
    def patches(self) -> int:
        """Patches of an image of the input size."""
        return (self.input_size // self.patch_size) ** 2

    @property
    def data_config(self) -> dict[str, object]:
        """The preprocessing in timm's words, for `create_transform` and for a model's `pretrained_cfg`."""
        return {
            "input_size": (3, self.input_size, self.input_size),
            "mean": self.mean,
            "std": self.std,
            "interpolation": self.interpolation,
            "crop_pct": self.crop,
            "crop_mode": "center" if self.keeps_aspect else "squash",
        }


CONTRACTS: dict[str, Contract] = {
    "large": Contract(
        source="RETFound models_vit.py:11-51, util/datasets.py:31-58, main_finetune.py:208-227",
        architecture="vit_large_patch16_224.mae",
        input_size=224,
        patch_size=16,
        width=1024,
        depth=24,
        prefix_tokens=1,
        pooling="avg",
        fc_norm=None,
        tail=MEAN_THEN_NORM,
        head_std=2e-5,
        mean=IMAGENET_MEAN,
        std=IMAGENET_STD,
        interpolation="bicubic",
        keeps_aspect=True,
        crop=0.875,
        missing=(r"^head\.", r"^fc_norm\."),
        unexpected=(r"^decoder_", r"^mask_token$", r"^norm\."),
    ),
    "dinov2": Contract(
        source="RETFound models_vit.py:79-86, util/datasets.py:31-58, main_finetune.py:202-227",
        architecture="vit_large_patch14_dinov2.lvd142m",
        input_size=224,
        patch_size=14,
        width=1024,
        depth=24,
        prefix_tokens=1,
        pooling="token",
        fc_norm=False,
        tail=NORM_THEN_CLASS,
        head_std=2e-5,
        mean=IMAGENET_MEAN,
        std=IMAGENET_STD,
        interpolation="bicubic",
        keeps_aspect=True,
        crop=0.875,
        missing=(r"^head\.",),
        unexpected=(r"^mask_token$", r"^dino_head\.", r"^ibot_head\."),
    ),
    "green": Contract(
        source="RETFound_Green README.md:10-31, Training_and_eval_code/data.py:24-28",
        architecture="vit_small_patch14_reg4_dinov2.lvd142m",
        input_size=392,
        patch_size=14,
        width=384,
        depth=12,
        prefix_tokens=5,
        pooling="avg",
        fc_norm=False,
        tail=NORM_THEN_MEAN,
        head_std=None,
        mean=HALF,
        std=HALF,
        interpolation="bilinear",
        keeps_aspect=False,
        crop=1.0,
        missing=(r"^head\.",),
        unexpected=(),
    ),
}
