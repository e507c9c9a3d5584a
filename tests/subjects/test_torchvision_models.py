"""`model: {torchvision: …}`: any classifier of torchvision, with random weights."""

from __future__ import annotations

import copy
import inspect
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torchvision import models

from retspec.errors import SubjectError
from retspec.records import Verdict
from retspec.subjects.models.outputs import logits_of
from retspec.subjects.models.sources.torchvision_model import torchvision as source
from retspec.subjects.models.structure import head_parameters, input_size, preprocessing
from tests.here import run_here

if TYPE_CHECKING:
    from pathlib import Path


FAMILIES = ("alexnet", "googlenet", "mobilenet_v3_small", "resnet18", "squeezenet1_1", "vit_b_32")
"""One classifier per layout of the last part."""


@pytest.mark.parametrize("name", FAMILIES)
def test_the_head_of_a_classifier_is_what_gives_the_classes(name: str) -> None:
    with torch.device("meta"):
        quick = {"init_weights": False} if name == "googlenet" else {}
        model = source(name, kwargs={"num_classes": 7, **quick})
    heads = head_parameters(torch.nn.Sequential(model))
    assert {7} == {tensor.shape[0] for tensor in model.parameters() if id(tensor) in heads}
    size = input_size(model)
    assert size is not None
    assert logits_of(model.eval()(torch.zeros(1, *size, device="meta"))).shape == (1, 7)


def test_a_name_knows_its_preprocessing_and_keeps_it_in_a_copy() -> None:
    with torch.device("meta"):
        model = copy.deepcopy(source("resnet18"))
    preset: Any = models.ResNet18_Weights.DEFAULT.transforms()
    assert preprocessing(model) == {
        "input_size": (3, 224, 224),
        "mean": tuple(preset.mean),
        "std": tuple(preset.std),
        "interpolation": "bilinear",
        "crop_pct": 224 / 256,
        "crop_mode": "center",
    }


def test_a_factorys_model_has_a_head_but_says_nothing_of_its_images() -> None:
    model = models.resnet18(num_classes=3)
    assert head_parameters(model) == {id(parameter) for parameter in model.fc.parameters()}
    assert preprocessing(model) == {}
    assert input_size(model) is None
    assert input_size(models.vit_b_32(image_size=64)) == (3, 64, 64)


@pytest.mark.parametrize(
    ("name", "kwargs", "place", "message"),
    [
        ("resnet51", {}, "model.torchvision", "no classifier 'resnet51'; did you mean 'resnet50'"),
        ("fcn_resnet50", {}, "model.torchvision", "no classifier 'fcn_resnet50'"),
        ("resnet18", {"weights": "DEFAULT"}, "model.kwargs", "would be downloaded, which this key never does"),
        ("resnet18", {"num_class": 3}, "model.kwargs", "num_class"),
    ],
    ids=["near-miss", "segmentation", "weights", "argument"],
)
def test_what_cannot_be_built_says_why(name: str, kwargs: dict[str, Any], place: str, message: str) -> None:
    with pytest.raises(SubjectError, match=message) as error:
        source(name, kwargs=kwargs)
    assert error.value.path == place


SPEC = """
retspec: 1
model:
  torchvision: mobilenet_v3_small
  kwargs: {num_classes: 4}
  lora: {r: 2, target_modules: [classifier.0], modules_to_save: [classifier.3]}
data: {synthetic: {batch_size: 4, input_size: [3, 32, 32], num_classes: 4}}
train: {steps: 4, lr: 1e-2}
run: {device: cpu}
checks: {output_shape: [4, 4], head_trainable: true, lora_layers: 1}
"""


def test_a_spec_with_it_is_met(tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text(SPEC)
    found = run_here(tmp_path / "spec.yaml")
    assert {name: result.verdict for name, result in found.items()} == dict.fromkeys(found, Verdict.MET), found


def test_the_source_never_gives_weights() -> None:
    """A default of torchvision that became pretrained would be noticed."""
    assert inspect.signature(models.resnet18).parameters["weights"].default is None
