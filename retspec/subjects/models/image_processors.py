"""How an image becomes a tensor, from the `preprocessor_config.json` beside a model of transformers.

The keys: https://huggingface.co/docs/transformers/main_classes/image_processor
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from retspec.regular_files import read_regular

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FILE = "preprocessor_config.json"
_MOST = 1 << 20
"""Bytes of such a file: far more than any has."""
_PIL = {0: "nearest", 1: "lanczos", 2: "bilinear", 3: "bicubic"}
"""Pillow's numbers of resampling filters: https://pillow.readthedocs.io/en/stable/handbook/concepts.html#filters"""
_CONVNEXT_SQUARE = 384
"""From this size on, ConvNeXT squeezes the whole image: `ConvNextImageProcessor` in transformers."""


def preprocessing_in(folder: Path) -> Mapping[str, Any] | None:
    """Return the preprocessing of a model's folder, under the keys of `retspec.records.Preprocessing`.

    None if there is no such file, or if it does what these keys cannot say.
    """
    try:
        content = read_regular(folder / FILE, _MOST)
        said = None if content is None else json.loads(content.decode("utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(said, dict) or not _is_plain(said) or (geometry := _geometry(said)) is None:
        return None
    sides, pct, mode = geometry
    mean, std = said.get("image_mean"), said.get("image_std")
    if not said.get("do_normalize", True):
        mean, std = [0.0] * 3, [1.0] * 3
    if not isinstance(mean, list) or not isinstance(std, list):
        return None
    return {
        "input_size": (len(mean), *sides),
        "mean": tuple(mean),
        "std": tuple(std),
        "interpolation": _PIL.get(said.get("resample", 2), "bilinear"),
        "crop_pct": pct,
        "crop_mode": mode,
    }


def _is_plain(said: Mapping[str, Any]) -> bool:
    """Whether pixels are scaled to 0 to 1, and images are resized."""
    is_scaled = said.get("do_rescale", True) and math.isclose(said.get("rescale_factor", 1 / 255), 1 / 255)
    return bool(said.get("do_resize", True) and is_scaled)


def _geometry(said: Mapping[str, Any]) -> tuple[tuple[int, int], float, str] | None:
    """Return ((height, width) in pixels, share that the crop keeps, way of cropping); None where they are not said."""
    size, crop = said.get("size"), said.get("crop_size") if said.get("do_center_crop") else None
    whole = _sides(size)
    if isinstance(size, dict) and "shortest_edge" in size and "crop_pct" in said:
        edge, pct = size["shortest_edge"], said["crop_pct"] or 1.0
        return ((edge, edge), pct, "center") if edge < _CONVNEXT_SQUARE else ((edge, edge), 1.0, "squash")
    kept = _sides(crop)
    if isinstance(size, dict) and "shortest_edge" in size:
        return None if kept is None else (kept, min(1.0, min(kept) / size["shortest_edge"]), "center")
    if whole is None or kept is None:
        return None if whole is None else (whole, 1.0, "squash")
    return (kept, min(1.0, kept[0] / whole[0]), "squash")


def _sides(size: Any) -> tuple[int, int] | None:
    """Return (height, width) of a size, which is one number or a mapping."""
    if isinstance(size, int):
        return (size, size)
    if isinstance(size, dict) and {"height", "width"} <= size.keys():
        return (size["height"], size["width"])
    return None
