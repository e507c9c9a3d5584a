"""`model: {transformers: …}`: from a folder alone, with its weights or none, and never half of them."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING, Any

import pytest
import torch

from retspec.errors import SubjectError
from retspec.records import Verdict
from retspec.subjects.models.image_processors import preprocessing_in
from retspec.subjects.models.outputs import logits_of
from retspec.subjects.models.sources.transformers_model import transformers as source
from retspec.subjects.models.structure import head_parameters, input_size, preprocessing, set_grad_checkpointing
from tests.here import run_here

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("transformers", reason="transformers is not installed")

CONFIG = {
    "model_type": "vit",
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "image_size": 32,
    "patch_size": 8,
    "num_labels": 4,
}
PROCESSOR = {
    "do_resize": True,
    "size": {"height": 32, "width": 32},
    "resample": 3,
    "do_normalize": True,
    "image_mean": [0.4, 0.5, 0.6],
    "image_std": [0.2, 0.3, 0.4],
}


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: Any, **_options: Any) -> None:
        raise AssertionError("it used the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder `vit` with a config alone, in the folder of a spec."""
    (tmp_path / "vit").mkdir()
    (tmp_path / "vit" / "config.json").write_text(json.dumps(CONFIG))
    return tmp_path


@pytest.fixture
def saved(folder: Path) -> torch.nn.Module:
    """The model whose weights `save_pretrained` wrote into that folder."""
    model = source("vit", folder)
    model.save_pretrained(folder / "vit")
    return model


def rewrite(folder: Path, **changes: Any) -> None:
    path = folder / "vit" / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_a_config_alone_gives_random_weights(folder: Path) -> None:
    model = source("vit", folder, kwargs={"num_labels": 3, "num_hidden_layers": 1})
    assert model.training
    assert logits_of(model(torch.zeros(2, 3, 32, 32))).shape == (2, 3)
    assert len(model.vit.layers if hasattr(model.vit, "layers") else model.vit.encoder.layer) == 1


def test_a_folder_with_weights_gives_them(folder: Path, saved: torch.nn.Module) -> None:
    loaded = source("vit", folder)
    assert all(torch.equal(new, old) for new, old in zip(loaded.parameters(), saved.parameters(), strict=True))
    other = source("vit", folder, pretrained=False)
    assert not torch.equal(other.classifier.weight, saved.classifier.weight)


def test_another_number_of_classes_replaces_the_head_alone(folder: Path, saved: torch.nn.Module) -> None:
    model = source("vit", folder, kwargs={"num_labels": 7})
    assert model.classifier.weight.shape == (7, 32)
    first = dict(saved.named_parameters())
    assert all(torch.equal(each, first[name]) for name, each in model.named_parameters() if "classifier" not in name)


@pytest.mark.usefixtures("saved")
def test_weights_that_do_not_fill_the_model_are_refused(folder: Path) -> None:
    with pytest.raises(SubjectError, match=r"the weights of vit leave .*\.2\..* random; set") as error:
        source("vit", folder, kwargs={"num_hidden_layers": 3})
    assert error.value.path == "model.transformers"


@pytest.mark.usefixtures("saved")
def test_on_the_meta_device_no_weights_are_read(folder: Path) -> None:
    with torch.device("meta"):
        model = source("vit", folder)
    assert {parameter.device.type for parameter in model.parameters()} == {"meta"}


@pytest.mark.parametrize(
    ("arguments", "place", "message"),
    [
        ({"name": "other"}, "model.transformers", "no folder other beside the spec, and no model of that name in the"),
        ({"name": "."}, "model.transformers", r"holds no config\.json"),
        ({"name": "vit", "kwargs": {"num_label": 3}}, "model.kwargs", "'num_label'; did you mean 'num_labels'"),
        ({"name": "vit", "kwargs": {"trust_remote_code": True}}, "model.kwargs", "no key 'trust_remote_code'"),
        ({"name": "vit", "pretrained": True}, "model.pretrained", r"vit holds no model\.safetensors"),
    ],
    ids=["absent", "no-config", "near-miss", "remote-code", "no-weights"],
)
def test_what_cannot_be_built_says_why(folder: Path, arguments: dict[str, Any], place: str, message: str) -> None:
    with pytest.raises(SubjectError, match=message) as error:
        source(folder=folder, **arguments)
    assert error.value.path == place


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"auto_map": {"AutoConfig": "evil.Config"}, "model_type": "evil"}, "does not read vit/config.json"),
        ({"attn_implementation": "stranger/kernel"}, "attention code of the hub, which is never fetched"),
        ({"model_type": "gpt2"}, "builds no image classifier from vit .GPT2Config"),
    ],
    ids=["code", "kernel", "text"],
)
def test_no_code_of_a_folder_runs(folder: Path, changes: dict[str, Any], message: str) -> None:
    (folder / "vit" / "evil.py").write_text("raise SystemExit('it ran')\n")
    rewrite(folder, **changes)
    with pytest.raises(SubjectError, match=message) as error:
        source("vit", folder)
    assert "\n" not in str(error.value)


def test_a_pickle_is_not_opened(folder: Path) -> None:
    (folder / "vit" / "pytorch_model.bin").write_bytes(b"")
    with pytest.raises(SubjectError, match=r"pytorch_model\.bin, which this key does not open"):
        source("vit", folder)
    assert isinstance(source("vit", folder, pretrained=False), torch.nn.Module)


def test_what_the_library_knows(folder: Path) -> None:
    (folder / "vit" / "preprocessor_config.json").write_text(json.dumps(PROCESSOR))
    model = source("vit", folder)
    assert input_size(torch.nn.Sequential(model)) == (3, 32, 32)
    assert head_parameters(model) == {id(parameter) for parameter in model.classifier.parameters()}
    assert preprocessing(model) == {
        "input_size": (3, 32, 32),
        "mean": (0.4, 0.5, 0.6),
        "std": (0.2, 0.3, 0.4),
        "interpolation": "bicubic",
        "crop_pct": 1.0,
        "crop_mode": "squash",
    }
    set_grad_checkpointing(model)
    assert any(getattr(module, "gradient_checkpointing", False) for module in model.modules())


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"size": {"shortest_edge": 256}, "do_center_crop": True, "crop_size": 224}, ((224, 224), 0.875, "center")),
        ({"size": {"shortest_edge": 224}, "crop_pct": 0.875}, ((224, 224), 0.875, "center")),
        ({"size": {"shortest_edge": 384}, "crop_pct": 0.875}, ((384, 384), 1.0, "squash")),
        ({"size": 224}, ((224, 224), 1.0, "squash")),
        ({"size": {"shortest_edge": 224}}, None),
        ({"size": 224, "rescale_factor": 1 / 127.5}, None),
        ({"size": 224, "do_resize": False}, None),
    ],
    ids=["crop", "convnext", "convnext-384", "number", "oblong", "other-scale", "no-resize"],
)
def test_geometry_of_an_image_processor(tmp_path: Path, said: dict[str, Any], expected: Any) -> None:
    (tmp_path / "preprocessor_config.json").write_text(
        json.dumps({"image_mean": [0.5] * 3, "image_std": [0.5] * 3, **said})
    )
    found = preprocessing_in(tmp_path)
    if expected is None:
        assert found is None
    else:
        assert found is not None
        assert (found["input_size"][1:], found["crop_pct"], found["crop_mode"]) == expected


SPEC = """
retspec: 1
model:
  transformers: vit
  lora: {r: 4, target_modules: [MODULE], modules_to_save: [classifier]}
data: {synthetic: {batch_size: 4, num_classes: 4}}
train: {steps: 8, lr: 1e-2, grad_checkpointing: true}
run: {device: cpu}
checks: {output_shape: [4, 4], head_trainable: true, dead_gradients: 0, loss_drop: 0.05, reload_atol: 1e-5}
"""


@pytest.mark.usefixtures("saved")
def test_a_spec_with_it_is_met(folder: Path) -> None:
    names = {name.rpartition(".")[2] for name, _ in source("vit", folder).named_modules()}
    target = "q_proj" if "q_proj" in names else "query"
    (folder / "spec.yaml").write_text(SPEC.replace("MODULE", target))
    found = run_here(folder / "spec.yaml")
    assert {name: result.verdict for name, result in found.items()} == dict.fromkeys(found, Verdict.MET), found
