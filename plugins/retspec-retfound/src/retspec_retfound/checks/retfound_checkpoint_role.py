"""`retfound_checkpoint_role`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Literal

from retspec.plugin import Inconclusive, Observed, check

from retspec_retfound.contracts import CONTRACTS
from retspec_retfound.facts import Layout

Role = Literal["foundation-mae", "foundation-dinov2", "green", "finetuned", "imagenet", "other"]

IMAGENET_CLASSES = frozenset({1000, 11821, 21841, 21843})
"""Outputs of the heads of ImageNet-1k and of the usual forms of ImageNet-21k."""
REGISTERS = {"large": 0, "dinov2": 0, "green": 4}


@check(
    direction="equal",
    advice="Set `model.checkpoint` to the intended file; the details show what this one holds. A file of the right "
    "layout can still be of the wrong modality (CFP or OCT): only its name and its SHA-256 distinguish them.",
)
def retfound_checkpoint_role(retfound_layout: Layout) -> Observed[Role]:
    """Which of the RETFound files is this?

    Why it matters:
        The files look alike, and a loader that is not strict accepts each for any other: a fine-tuned model as the
        foundation, the foundation where a fine-tuned model is evaluated, ImageNet in place of RETFound.

    Example:
        retfound_checkpoint_role: foundation-mae

    What the number means:
        What names and shapes in the file say: `foundation-mae` (ViT-L/16 with the decoder of the masked autoencoder,
        https://github.com/rmaphoh/RETFound), `foundation-dinov2` (ViT-L/14 from a DINOv2 teacher), `green` (ViT-S/14
        with four registers and 784 positions, https://github.com/justinengelmann/RETFound_Green), `finetuned` (one of
        them with a head), `imagenet` (one of them with the head of an ImageNet), `other`. An encoder alone, without
        decoder, head or teacher, has no verdict: ImageNet's has the same layout.
    """
    return Observed(_role(retfound_layout), asdict(retfound_layout))


def _role(layout: Layout) -> Role:
    backbone = _backbone(layout)
    if backbone is None:
        return "other"
    if layout.head_classes:
        return "imagenet" if layout.head_classes in IMAGENET_CLASSES else "finetuned"
    if backbone == "green":
        return "green" if layout.positions == CONTRACTS[backbone].patches else "other"
    if backbone == "large" and layout.decoder:
        return "foundation-mae"
    if backbone == "dinov2" and layout.self_distilled:
        return "foundation-dinov2"
    raise Inconclusive(
        f"an encoder of {layout.tensors} tensors alone does not say whose it is: the one of ImageNet has the same "
        "layout; take the file as its authors publish it"
    )


def _backbone(layout: Layout) -> str | None:
    seen = (layout.width, layout.patch_size, layout.registers)
    known = {(each.width, each.patch_size, REGISTERS[name]): name for name, each in CONTRACTS.items()}
    return known.get(seen)
