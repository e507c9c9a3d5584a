"""What probes find out about a transform, whatever library it comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from timm.data import create_transform
from torchvision import transforms
from torchvision.transforms import v2

from retspec.errors import Inconclusive, SubjectError
from retspec.measurements.pipeline import pipeline
from retspec.records import Data, Preprocessing
from retspec.subjects.data.transforms import Transform, Transforms, build_transforms
from tests.photos import IMAGENET, composed

if TYPE_CHECKING:
    from collections.abc import Callable

    from PIL import Image

    from retspec.facts import Pipeline


def seen(transform: Callable[..., Any]) -> Pipeline:
    return pipeline(Transforms(Transform(transform), None, from_model=False))


def of_timm(**settings: Any) -> Callable[..., Any]:
    made: Callable[..., Any] = create_transform(input_size=(3, 224, 224), **settings)
    return made


class Albumented:
    """Stands in for a composition of albumentations, by the name of its module and the way in which it is called."""

    __module__ = "albumentations.core.composition"
    interpolation = 2

    def __call__(self, *, image: np.ndarray[Any, Any]) -> dict[str, Any]:
        assert image.dtype == np.uint8
        small = image[::2, ::2][:224, :224].astype(np.float32) / 255
        return {"image": (small - np.float32([0.1, 0.2, 0.3])) / np.float32([1.0, 2.0, 4.0])}


class Letterbox:
    """Pads to a square, then resizes."""

    def __call__(self, image: Image.Image) -> Image.Image:
        side = max(image.size)
        return transforms.functional.center_crop(image, [side, side]).resize((64, 64))


@pytest.mark.parametrize("side", [16, 224, 392])
def test_mean_and_std_are_found_exactly(side: int) -> None:
    found = seen(composed(transforms.Resize(side), transforms.CenterCrop(side)))
    assert found.mean == pytest.approx(IMAGENET["mean"], abs=1e-6)
    assert found.std == pytest.approx(IMAGENET["std"], abs=1e-6)
    assert found.output_size == (3, side, side)


@pytest.mark.parametrize(
    ("transform", "keeps_aspect", "cropped"),
    [
        (of_timm(crop_pct=0.875), True, 0.875),
        (of_timm(crop_pct=1.0), True, 1.0),
        (of_timm(crop_pct=1.0, crop_mode="squash"), False, 1.0),
        (of_timm(crop_pct=1.0, crop_mode="border"), True, 1.0),
        (composed(transforms.Resize((392, 392))), False, 1.0),
        (composed(transforms.CenterCrop(256)), True, 0.5),
        (composed(Letterbox()), True, 1.0),
        (composed(transforms.Grayscale(), transforms.Resize(64), lambda x: x.convert("RGB")), True, 1.0),
    ],
    ids=["crop", "whole", "squash", "border", "squeezed", "centre", "letterbox", "grey"],
)
def test_where_pixels_go_is_found(transform: Callable[..., Any], keeps_aspect: bool, cropped: float) -> None:  # noqa: FBT001
    found = seen(transform)
    assert found.keeps_aspect is keeps_aspect
    assert found.cropped == pytest.approx(cropped, abs=0.02)


def test_a_transform_of_albumentations_is_called_its_way() -> None:
    found = seen(Albumented())
    assert found.mean == pytest.approx((0.1, 0.2, 0.3), abs=1e-6)
    assert found.std == pytest.approx((1.0, 2.0, 4.0), abs=1e-6)
    assert (found.output_size, found.interpolation) == ((3, 224, 224), "bicubic")


def test_the_second_version_of_torchvision_is_understood() -> None:
    steps = [v2.ToImage(), v2.Resize((32, 32), interpolation=v2.InterpolationMode.BICUBIC, antialias=True)]
    found = seen(v2.Compose([*steps, v2.ToDtype(torch.float32, scale=True), v2.Normalize(**IMAGENET)]))
    assert found.mean == pytest.approx(IMAGENET["mean"], abs=1e-6)
    assert found.interpolation == "bicubic"


def test_one_channel_has_one_mean() -> None:
    steps = [transforms.Grayscale(), transforms.Resize(32), transforms.ToTensor(), transforms.Normalize(0.4, 0.3)]
    found = seen(transforms.Compose(steps))
    assert (found.output_size, found.mean) == ((1, 32, 64), (pytest.approx(0.4, abs=1e-6),))


def test_pixels_that_stay_between_0_and_255_are_seen_as_that() -> None:
    found = seen(transforms.Compose([transforms.Resize((16, 16)), transforms.PILToTensor()]))
    assert found.std == pytest.approx((1 / 255,) * 3)


@pytest.mark.parametrize(
    ("transform", "says"),
    [
        (composed(lambda image: image.point(lambda value: value * value // 255)), "grey does not come out"),
        (composed(lambda image: image.point(lambda _: 7)), "black and white come out alike"),
        (composed(lambda image: image.rotate(90, expand=True)), "a ramp from black to white does not come out as one"),
    ],
    ids=["not linear", "constant", "rotated"],
)
def test_what_no_mean_and_std_describe_has_no_verdict(transform: Callable[..., Any], says: str) -> None:
    with pytest.raises(Inconclusive, match=says):
        seen(transform)


def test_a_transform_that_fails_is_named() -> None:
    with pytest.raises(SubjectError, match="Normalize fails on an image: TypeError"):
        seen(transforms.Normalize(**IMAGENET))
    with pytest.raises(SubjectError, match=r"shape \(1, 3, 8, 8\); an image is"):
        seen(lambda _: torch.zeros(1, 3, 8, 8))


# From the spec ------------------------------------------------------------------------------------


def test_what_the_spec_writes_is_what_the_probes_see() -> None:
    described = Preprocessing(
        input_size=[3, 96, 64],
        mean=[0.1, 0.2, 0.3],
        std=[0.4, 0.5, 0.6],
        interpolation="lanczos",
        crop_pct=0.5,
    )
    made = build_transforms(Data(transform=described), lambda: None)
    found = pipeline(made)
    assert (found.output_size, found.interpolation, made.from_model) == ((3, 96, 64), "lanczos", False)
    assert found.mean == pytest.approx((0.1, 0.2, 0.3), abs=1e-6)
    assert found.std == pytest.approx((0.4, 0.5, 0.6), abs=1e-6)


def test_steps_are_named_and_make_up_the_whole() -> None:
    transform = Transform(composed(transforms.Resize(8)))
    assert [name for name, _ in transform.steps] == ["Resize", "ToTensor", "Normalize"]
    assert [name for name, _ in Transform(Letterbox()).steps] == ["Letterbox"]


def test_a_factory_that_needs_arguments_is_refused_with_its_place() -> None:
    with pytest.raises(SubjectError, match=r"needs_arguments raised TypeError.*'size'") as refusal:
        build_transforms(Data(train_transform="tests.photos:needs_arguments"), lambda: None)
    assert refusal.value.path == "data.train_transform"
    with pytest.raises(SubjectError, match="did you mean 'imagenet'"):
        build_transforms(Data(transform="tests.photos:imagnet"), lambda: None)
