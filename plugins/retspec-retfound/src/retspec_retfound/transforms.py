"""What an image goes through before the backbone sees it, in evaluation: `retspec_retfound.transforms:large`.

Each is a callable without arguments that returns a transform of a PIL image to a tensor (3, height, width).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec_retfound.contracts import CONTRACTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from PIL.Image import Image
    from torch import Tensor

    Transform = Callable[[Image], Tensor]


def large() -> Transform:
    """Shorter side to 256 by bicubic interpolation, the 224 pixels in the middle, mean and deviation of ImageNet."""
    return _transform("large")


def dinov2() -> Transform:
    """The same as for `large`."""
    return _transform("dinov2")


def green() -> Transform:
    """Both sides to 392, whatever the aspect ratio; mean and deviation 0.5."""
    return _transform("green")


def _transform(backbone: str) -> Transform:
    from timm.data import create_transform

    made: Transform = create_transform(is_training=False, **CONTRACTS[backbone].data_config)
    return made
