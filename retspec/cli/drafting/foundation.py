"""Foundation models that a plugin builds: recognised in a config by what their authors call them.

Each is drafted on its plugin where that is installed, else on the same model of timm, with a comment that names the
plugin. The transforms are those of the authors' evaluation, where timm's own defaults are others.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from retspec.cli.drafting.disk import Disk
    from retspec.cli.drafting.recognition import Found

PLUGIN = "retspec_retfound"
_SUFFIX = ".pth"
_IMAGENET = "[0.485, 0.456, 0.406]", "[0.229, 0.224, 0.225]"
_AS_LARGE = "interpolation: bicubic\ncrop_pct: {crop}"
_HALF = "[0.5, 0.5, 0.5]", "[0.5, 0.5, 0.5]"
_MARGIN = 224
"""Pixels up to which the code of RETFound cuts a margin off."""


@dataclass(frozen=True, kw_only=True)
class Foundation:
    """A model as its authors build it, and how they prepare an image."""

    backbone: str
    """What the plugin calls it."""
    timm: str
    kwargs: Mapping[str, str]
    size: int = 224
    statistics: tuple[str, str] = _IMAGENET
    resizing: str = _AS_LARGE
    """Lines of the transform that say how an image is resized, `{crop}` for the share that is kept."""
    pattern: re.Pattern[str]
    """Of the model's name, or of the file of its weights."""
    source: str

    def section(self, found: Mapping[str, Found], disk: Disk) -> Iterator[str]:
        """Yield the lines of the section `model` up to its checkpoint."""
        yield f"# {self.source}"
        yield "model:"
        classes = found["classes"].reference if "classes" in found else "5   # not found in the config"
        size = found["size"].reference if "size" in found else str(self.size)
        if is_installed():
            yield f"  retfound: {self.backbone}"
            yield f"  num_classes: {classes}"
            yield f"  img_size: {size}"
        else:
            yield f"  # {hint(self.backbone)}"
            yield "  # This is the same model of timm:"
            yield f"  timm: {self.timm}"
            yield "  kwargs:"
            yield f"    num_classes: {classes}"
            yield f"    img_size: {size}"
            yield from (f"    {key}: {value}" for key, value in self.kwargs.items())
        yield f"  checkpoint: {self._checkpoint(found, disk)}"

    def checks(self, *, adapted: bool) -> Iterator[str]:
        """Yield the criteria about its weights; frozen ones, which an adapter leaves, must equal the file."""
        if is_installed():
            yield f"retfound_keys: {self.backbone}"
            yield f"retfound_pooling: {self.backbone}"
        yield "checkpoint_coverage: 0.99"
        yield f"{'' if adapted else '# '}backbone_matches_file: true"

    def transform(self, found: Mapping[str, Found]) -> Iterator[str]:
        """Yield the lines of the transform under `data`."""
        size = found.get("size")
        pixels = size.value if size is not None and isinstance(size.value, int) else self.size
        if is_installed() and pixels == self.size:
            yield f'  transform: "{PLUGIN}.transforms:{self.backbone}"   # as the authors evaluate'
            return
        side = size.reference if size is not None and isinstance(size.value, int) else str(self.size)
        yield "  transform:                # as the authors evaluate"
        yield f"    input_size: [3, {side}, {side}]"
        yield f"    mean: {self.statistics[0]}"
        yield f"    std: {self.statistics[1]}"
        yield from (f"    {line}" for line in self.resizing.format(crop=0.875 if pixels <= _MARGIN else 1).split("\n"))

    def _checkpoint(self, found: Mapping[str, Found], disk: Disk) -> str:
        if "weights" in found:
            return disk.reference(found["weights"])
        if "hub_weights" in found:  # the name of a file on the hub, which their code downloads
            return f'"${{config.{found["hub_weights"].place}}}{_SUFFIX}"   # download it first: nothing is fetched'
        return "weights.pth   # not found in the config"


FOUNDATIONS = (
    Foundation(
        backbone="green",
        timm="vit_small_patch14_reg4_dinov2",
        kwargs={"global_pool": "avg", "fc_norm": "false"},
        size=392,
        statistics=_HALF,
        resizing="interpolation: bilinear\ncrop_pct: 1\ncrop_mode: squash",
        pattern=re.compile(r"retfound[_-]?green", re.IGNORECASE),
        source="RETFound_Green (https://github.com/justinengelmann/RETFound_Green), as its authors build it.",
    ),
    Foundation(
        backbone="dinov2",
        timm="vit_large_patch14_dinov2.lvd142m",
        kwargs={"global_pool": "token"},
        pattern=re.compile(r"retfound[_-]?dinov2", re.IGNORECASE),
        source="RETFound by DINOv2 (https://github.com/rmaphoh/RETFound), as its authors build it.",
    ),
    Foundation(
        backbone="large",
        timm="vit_large_patch16_224.mae",
        kwargs={"global_pool": "avg"},
        pattern=re.compile(r"retfound[_-]?(mae|cfp|oct)", re.IGNORECASE),
        source="RETFound by a masked autoencoder (https://github.com/rmaphoh/RETFound), as its authors build it.",
    ),
)
_OLD_NAME = "vit_large_patch16"
"""What the first code of RETFound called its model; timm has none of that name."""


def foundation_in(found: Mapping[str, Found]) -> Foundation | None:
    """Return the foundation model that a config is about, None for any other.

    Weights alone do not decide: a training that builds another model is drafted as that, since that is what will run.
    """
    name = str(found["name"].value) if "name" in found else ""
    weights = _weights(found)
    for each in FOUNDATIONS:
        if each.pattern.search(name):
            return each
        is_theirs = name.partition(".")[0] == each.timm if each.backbone == "green" else name == _OLD_NAME
        if is_theirs and each.pattern.search(weights):
            return each
    return None


def hint_for(found: Mapping[str, Found]) -> str:
    """Return that a plugin knows the weights that a config names; empty if none does."""
    return next((hint(each.backbone) for each in FOUNDATIONS if each.pattern.search(_weights(found))), "")


def hint(backbone: str) -> str:
    """Return which plugin has a model, and what it adds."""
    return f"`retfound: {backbone}` of the plugin retspec-retfound builds it as its authors do, and checks its pooling."


def _weights(found: Mapping[str, Found]) -> str:
    return " ".join(str(found[word].value) for word in ("weights", "hub_weights") if word in found)


def is_installed() -> bool:
    """Whether the plugin can be imported; it is not imported here."""
    return find_spec(PLUGIN) is not None
