"""The starter spec."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from retspec.cli.recognition import recognise
from retspec.load import load


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_the_starter_is_valid(retspec: Any) -> None:
    assert retspec("init").code == 0
    finished = retspec("validate", "preflight.yaml")
    assert (finished.code, finished.err) == (0, "")
    assert finished.out == "preflight.yaml: ok (10 criteria)\n"


def test_its_first_line_names_the_schema_that_the_next_step_writes(retspec: Any, tmp_path: Path) -> None:
    (tmp_path / "specs").mkdir()
    finished = retspec("init", "specs/mine.yaml")
    first = (tmp_path / "specs" / "mine.yaml").read_text().splitlines()[0]
    assert first == "# yaml-language-server: $schema=retspec.schema.json"
    assert "retspec schema --output specs/retspec.schema.json" in finished.out
    assert "retspec run specs/mine.yaml" in finished.out


def test_a_file_that_is_there_is_left_alone(retspec: Any, tmp_path: Path) -> None:
    (tmp_path / "preflight.yaml").write_text("mine")
    finished = retspec("init")
    assert finished.code == 2
    assert finished.err == "Error: preflight.yaml exists; --force overwrites it\n"
    assert (tmp_path / "preflight.yaml").read_text() == "mine"


def test_force_overwrites(retspec: Any, tmp_path: Path) -> None:
    (tmp_path / "preflight.yaml").write_text("mine")
    assert retspec("init", "--force").code == 0
    assert "retspec: 1" in (tmp_path / "preflight.yaml").read_text()


def test_a_folder_that_is_not_there_is_told(retspec: Any) -> None:
    finished = retspec("init", "nowhere/a.yaml")
    assert finished.code == 2
    assert finished.err == "Error: cannot write nowhere/a.yaml: No such file or directory\n"


# Drafted from a training config -----------------------------------------------------------------------------

CONFIGS = Path(__file__).parents[1] / "cases" / "configs"


def _drafted(retspec: Any, config: str, tmp_path: Path) -> dict[str, Any]:
    """Draft a spec beside a copy of a config, hold that it is valid, and return its resolved data."""
    shutil.copytree(CONFIGS, tmp_path / "configs")
    assert retspec("init", "--config", f"configs/{config}", "spec.yaml").code == 0
    finished = retspec("validate", "spec.yaml")
    assert (finished.code, finished.err) == (0, "")
    return load("spec.yaml").data


def test_a_flat_config_is_recognised(retspec: Any, tmp_path: Path) -> None:
    data = _drafted(retspec, "flat.yaml", tmp_path)
    lora = {"r": 4, "alpha": 8, "dropout": 0.1, "target_modules": ["qkv"], "modules_to_save": ["head"]}
    assert data["config"] == "configs/flat.yaml"
    assert data["model"] == {
        "timm": "vit_tiny_patch16_224",
        "kwargs": {"num_classes": 3, "img_size": 64},
        "checkpoint": "data/weights.safetensors",
        "lora": lora,
    }
    assert data["data"] == {"synthetic": {"input_size": [3, 64, 64]}}
    assert data["train"] == {"steps": 20, "batch_size": 4, "lr": 0.001, "weight_decay": 0.05}
    assert data["checks"]["output_shape"] == [4, 3]
    assert data["checks"]["trainable_names"] == ["lora_", "head"]
    assert {"config_paths", "output_dir_writable"} <= data["checks"].keys()
    assert '  #   train: "${config.train_csv}"' in (tmp_path / "spec.yaml").read_text().splitlines()


def test_a_config_of_sections_is_recognised(retspec: Any, tmp_path: Path) -> None:
    """The rank of a process is not that of an adapter, and a merged value is taken from where it is used."""
    data = _drafted(retspec, "nested.yaml", tmp_path)
    assert data["model"]["timm"] == "vit_tiny_patch16_224"
    assert data["model"]["lora"]["r"] == 8
    assert "checkpoint" not in data["model"]
    assert data["train"] == {"steps": 20, "batch_size": 4, "lr": 0.0001, "weight_decay": 0.01}
    text = (tmp_path / "spec.yaml").read_text()
    assert '"${config.training.weight_decay}"' in text
    assert '  #   images: "${config.data.image_dir}"' in text.splitlines()


def test_a_config_of_hydra_is_recognised(retspec: Any, tmp_path: Path) -> None:
    data = _drafted(retspec, "hydra.yaml", tmp_path)
    assert data["model"]["kwargs"] == {"num_classes": 5, "img_size": 64}
    assert data["model"]["lora"] == {"r": 8, "alpha": 16, "target_modules": "qkv"}
    assert data["train"]["lr"] == 0.0005
    assert "output_dir_writable" not in data["checks"]
    assert "    # modules_to_save: [head]" in (tmp_path / "spec.yaml").read_text()


def test_a_config_of_json_without_an_adapter_is_recognised(retspec: Any, tmp_path: Path) -> None:
    data = _drafted(retspec, "plain.json", tmp_path)
    assert data["model"] == {"timm": "vit_tiny_patch16_224", "kwargs": {"num_classes": 5}}
    assert "merge_atol" not in data["checks"]


def test_the_draft_names_the_config_from_where_the_spec_is(retspec: Any, tmp_path: Path) -> None:
    (tmp_path / "specs").mkdir()
    (tmp_path / "train.yaml").write_text("arch: resnet18\n")
    assert retspec("init", "--config", "train.yaml", "specs/mine.yaml").code == 0
    assert load("specs/mine.yaml").data["config"] == "../train.yaml"
    assert retspec("validate", "specs/mine.yaml").code == 0


@pytest.mark.parametrize(
    ("config", "word", "place"),
    [
        ("mixup: {alpha: 0.8}\nlora: {alpha: 16}", "alpha", "lora.alpha"),
        ("mixup: {alpha: 0.8}", "alpha", None),
        ("dist: {rank: 3}", "r", None),
        ("drop: {dropout: 0.1}", "dropout", None),
        ("encoder: {name: vit}\nmodel: {name: resnet18}", "name", "model.name"),
        ("val: {batch_size: 64}\ntrain: {batch_size: 8}", "batch", "train.batch_size"),
        ("lr: high\noptim: {lr: 1e-3}", "lr", "optim.lr"),
        ("checkpoint: true", "weights", None),
        ("checkpoint: https://host/a.pth", "weights", None),
        ("a.b: {lr: 1e-3}", "lr", None),
    ],
)
def test_a_key_means_what_it_means_where_it_stands(config: str, word: str, place: str | None) -> None:
    found = recognise(yaml.safe_load(config.replace("1e-3", "0.001")), {})
    assert (found[word].place if word in found else None) == place


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("seed: 1", "Error: train.yaml: no key is called like a model (model.name, arch, backbone) or a path"),
        ("a: [", "train.yaml:1:5: this is not YAML"),
    ],
)
def test_a_config_that_nothing_can_be_drafted_from(retspec: Any, tmp_path: Path, config: str, message: str) -> None:
    (tmp_path / "train.yaml").write_text(config)
    finished = retspec("init", "--config", "train.yaml")
    assert finished.code == 2
    assert finished.err.startswith(message)
    assert not (tmp_path / "preflight.yaml").exists()
