"""Transforms of images to tensors: the model's own, one that the spec describes, or a user's callable."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from retspec.errors import SubjectError, describe
from retspec.records import OWN_TRANSFORM
from retspec.subjects.callables import call, load_callable
from retspec.subjects.models.libraries import libraries_with_preprocessing
from retspec.subjects.models.structure import preprocessing, unwrapped

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from PIL.Image import Image
    from torch import Tensor

    from retspec.records import Data, Preprocessing, TransformChoice
    from retspec.subjects.models.skeleton import Skeleton

_OPENCV = {0: "nearest", 1: "bilinear", 2: "bicubic", 3: "area", 4: "lanczos"}
"""OpenCV's numbers of interpolations, which albumentations uses: see `InterpolationFlags` in OpenCV."""


class Transform:
    """A callable from a PIL image to a tensor (channels, height, width), from any library."""

    def __init__(self, function: Callable[..., Any], *, path: str = "data.transform") -> None:
        self._function = function
        self._path = path

    def __call__(self, image: Image) -> Tensor:
        """Return the image as a tensor (channels, height, width).

        Raises SubjectError when the callable fails or does not return a tensor.
        """
        return self._tensor_of(self.apply(self._function, image))

    def apply(self, step: Callable[..., Any], image: Any) -> Any:
        """Return the result of the callable, or of one step of it; raises SubjectError when it fails."""
        try:
            if not _is_of_albumentations(step):
                return step(image)
            import numpy as np

            return step(image=np.asarray(image))["image"]
        except Exception as error:
            raise SubjectError(f"{_name(step)} fails on an image: {describe(error)}", path=self._path) from error

    def _tensor_of(self, output: Any) -> Tensor:
        """Return an output as a tensor; an array (height, width, channels) becomes (channels, height, width).

        Raises SubjectError for anything else.
        """
        import numpy as np
        import torch

        if isinstance(output, np.ndarray) and output.ndim == 3:  # noqa: PLR2004 - (height, width, channels)
            output = torch.from_numpy(np.ascontiguousarray(output)).permute(2, 0, 1)
        if not isinstance(output, torch.Tensor):
            raise SubjectError(
                f"{_name(self._function)} gives {type(output).__name__}, not a tensor; end it with ToTensor",
                path=self._path,
            )
        return output

    @property
    def steps(self) -> tuple[tuple[str, Callable[..., Any]], ...]:
        """(name, callable) of each step of a composed transform, in order; else of the transform itself."""
        listed = getattr(self._function, "transforms", None)
        steps = list(listed) if isinstance(listed, (list, tuple)) and "Compose" in _name(self._function) else []
        return tuple((_name(step), step) for step in steps or [self._function])

    @property
    def interpolation(self) -> str | None:
        """Interpolation of the first step that states one, or None."""
        for _, step in self.steps:
            mode: Any = getattr(step, "interpolation", None)
            word = mode.value if isinstance(mode, Enum) else _OPENCV.get(mode) if _is_of_albumentations(step) else mode
            if isinstance(word, str):
                return word
        return None


@dataclass(frozen=True)
class Transforms:
    """The transform for evaluation, and the one for training, if the spec names one."""

    evaluate: Transform
    augment: Transform | None
    from_model: bool
    """Whether `evaluate` was made from the preprocessing that the model states."""


def build_transforms(data: Data, skeleton: Callable[[], Skeleton | None]) -> Transforms:
    """Return the transforms that the section `data` describes; the default is the model's own preprocessing.

    Raises SubjectError for a callable that fails or cannot be imported, or when the model is needed and missing.
    """
    described = data.transform or OWN_TRANSFORM
    augment = data.train_transform and _build(data.train_transform, skeleton, "data.train_transform", augments=True)
    return Transforms(
        evaluate=_build(described, skeleton, "data.transform"),
        augment=augment or None,
        from_model=described == OWN_TRANSFORM,
    )


def _build(
    described: TransformChoice, skeleton: Callable[[], Skeleton | None], path: str, *, augments: bool = False
) -> Transform:
    if isinstance(described, str) and described != OWN_TRANSFORM:
        made = call(described, load_callable(described, path=path), {}, path=path)
        if not callable(made):
            raise SubjectError(f"{described} returned {type(made).__name__}; it must return a transform", path=path)
        return Transform(made, path=path)
    from timm.data import create_transform

    settings = _of_model(skeleton(), path) if isinstance(described, str) else _of_spec(described)
    made = create_transform(**settings, is_training=augments)
    if described != OWN_TRANSFORM and not augments:
        _resize_as_said(made, settings["interpolation"])
    return Transform(made, path=path)


def _resize_as_said(made: Any, interpolation: str) -> None:
    """Give timm's resizing the interpolation of the spec: before 1.0.31 `create_transform` drops it for oblong images.

    A transform from the model's own preprocessing is left unchanged, since the model was trained with it.
    """
    from timm.data.transforms import ResizeKeepRatio, str_to_interp_mode

    for step in made.transforms:
        if isinstance(step, ResizeKeepRatio):
            step.interpolation = str_to_interp_mode(interpolation)


def _of_model(skeleton: Skeleton | None, path: str) -> Mapping[str, Any]:
    """Return the preprocessing that a model states, completed by timm's defaults.

    See `resolve_data_config` in https://huggingface.co/docs/timm/reference/data
    """
    from timm.data import resolve_data_config

    if skeleton is None:
        raise SubjectError(
            "no model says how images become tensors; add the section `model`, or set `data.transform`",
            path=path,
        )
    stated = preprocessing(skeleton.module)
    if not stated:
        raise SubjectError(
            f"{type(unwrapped(skeleton.module)).__name__} is not a model of {libraries_with_preprocessing()} and "
            "does not say how images become tensors; set `data.transform`",
            path=path,
        )
    settings: dict[str, Any] = resolve_data_config({}, pretrained_cfg=dict(stated))
    return settings


def _of_spec(described: Preprocessing) -> Mapping[str, Any]:
    return {
        "input_size": tuple(described.input_size),
        "mean": tuple(described.mean),
        "std": tuple(described.std),
        "interpolation": described.interpolation,
        "crop_pct": described.crop_pct,
        "crop_mode": described.crop_mode,
    }


def _is_of_albumentations(step: Any) -> bool:
    """Whether a callable takes `image=` and returns a mapping; recognised by its class, without an import."""
    return any(kind.__module__.partition(".")[0] == "albumentations" for kind in type(step).__mro__)


def _name(step: Any) -> str:
    return str(getattr(step, "__name__", type(step).__name__))
