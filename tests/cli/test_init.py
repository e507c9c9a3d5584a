"""The starter spec."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from retspec.cli.drafting.recognition import settings_in
from retspec.records import Verdict
from retspec.spec.load import load
from tests.here import run_here
from tests.photos import healthy, write_tables


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
    assert data["data"] == {
        "csv": {
            "train": "configs/data/train.csv",
            "val": "configs/data/val.csv",
            "images": "configs/data/images",
            "image_column": "image",
            "label_column": "label",
        },
        "transform": {"input_size": [3, 64, 64], "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]},
    }
    assert data["train"] == {"steps": 20, "batch_size": 4, "lr": 0.001, "weight_decay": 0.05}
    assert data["checks"]["output_shape"] == [4, 3]
    assert data["checks"]["trainable_names"] == ["lora_", "head"]
    assert {"config_paths", "output_dir_writable", "split_leakage", "input_size"} <= data["checks"].keys()
    assert '    train: "configs/${config.train_csv}"' in (tmp_path / "spec.yaml").read_text().splitlines()
    assert "normalization_atol" not in data["checks"], "of the weights in a file only a person knows it"


def test_a_config_of_sections_is_recognised(retspec: Any, tmp_path: Path) -> None:
    """The rank of a process is not that of an adapter, and a merged value is taken from where it is used."""
    data = _drafted(retspec, "nested.yaml", tmp_path)
    assert data["model"]["timm"] == "vit_tiny_patch16_224"
    assert data["model"]["lora"]["r"] == 8
    assert "checkpoint" not in data["model"]
    assert data["train"] == {"steps": 20, "batch_size": 4, "lr": 0.0001, "weight_decay": 0.01}
    text = (tmp_path / "spec.yaml").read_text()
    assert '"${config.training.weight_decay}"' in text
    assert "split_leakage" not in data["checks"], "there is one split"
    assert "transform" not in data["data"]


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


# Images -----------------------------------------------------------------------------------------------------

TRAINING = """\
model: {name: vit_tiny_patch16_224, num_classes: 3, input_size: 32}
lora: {r: 2, target_modules: [qkv], modules_to_save: [head]}
data: {train_csv: train.csv, test_csv: test.csv, image_dir: images, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5]}
training: {batch_size: 6, lr: 3e-3}
output_dir: runs
"""


def test_a_drafted_spec_runs_on_the_tables_that_the_config_names(retspec: Any, tmp_path: Path) -> None:
    """The project keeps its specs in a folder of their own; columns and extension are those of the tables."""
    write_tables(tmp_path / "project")
    (tmp_path / "project" / "train.yaml").write_text(TRAINING)
    (tmp_path / "specs").mkdir()
    assert retspec("init", "--config", "project/train.yaml", "specs/mine.yaml").code == 0
    assert load("specs/mine.yaml").data["data"]["csv"] == {
        "train": "../project/train.csv",
        "test": "../project/test.csv",
        "images": "../project/images",
        "image_column": "id_code",
        "label_column": "diagnosis",
        "group_column": "patient",
        "extension": ".png",
    }
    results = run_here("specs/mine.yaml")
    assert {"missing_files", "corrupt_images", "split_leakage", "max_class_imbalance", "labels_out_of_range"} | {
        *("normalization_atol", "input_size", "config_paths", "output_dir_writable", "loss_drop", "merge_atol")
    } <= results.keys()
    assert {name: result.reason for name, result in results.items() if result.verdict is not Verdict.MET} == {}


def test_a_drafted_spec_runs_on_the_folder_that_the_config_names(retspec: Any, tmp_path: Path) -> None:
    healthy(tmp_path / "photos")
    (tmp_path / "train.yaml").write_text("data_path: photos\nnb_classes: 3\n")
    assert retspec("init", "--config", "train.yaml").code == 0
    results = run_here("preflight.yaml")
    of_files = {"max_class_imbalance", "labels_out_of_range", "corrupt_images", "split_leakage"}
    assert {*results} == {"config_paths", *of_files}
    assert {result.verdict for result in results.values()} == {Verdict.MET}


@pytest.mark.parametrize(
    ("folders", "section"),
    [
        ([], {"imagefolder": {"root": "${config.data_path}"}}),
        (["photos/train"], {"imagefolder": {"root": "${config.data_path}"}}),
        (["photos/training"], {"synthetic": {}}),
    ],
    ids=["elsewhere", "splits", "other names"],
)
def test_a_folder_is_taken_unless_it_is_seen_to_be_laid_out_otherwise(
    folders: list[str], section: dict[str, Any], retspec: Any, tmp_path: Path
) -> None:
    for folder in folders:
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "train.yaml").write_text("arch: resnet18\ndata_path: photos\n")
    assert retspec("init", "--config", "train.yaml").code == 0
    assert yaml.safe_load(Path("preflight.yaml").read_text())["data"] == section
    assert retspec("validate", "preflight.yaml").code == 0


def test_tables_that_are_elsewhere_get_columns_to_correct(retspec: Any, tmp_path: Path) -> None:
    (tmp_path / "train.yaml").write_text("train_csv: a.csv\nlabel_col: Grade\n")
    assert retspec("init", "--config", "train.yaml").code == 0
    data = load("preflight.yaml").data
    assert data["data"] == {"csv": {"train": "a.csv", "image_column": "image", "label_column": "Grade"}}
    assert "image_column: image   # a guess: name the column of your tables" in Path("preflight.yaml").read_text()
    assert {*data["checks"]} == {"config_paths", "missing_files", "corrupt_images", "max_class_imbalance"}
    assert retspec("validate", "preflight.yaml").code == 0


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
    found = settings_in(yaml.safe_load(config.replace("1e-3", "0.001")), {})
    assert (found[word].place if word in found else None) == place


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("seed: 1", "Error: train.yaml: no key is called like a model (model.name, arch, backbone), images or a path"),
        ("a: [", "train.yaml:1:5: this is not YAML"),
    ],
)
def test_a_config_that_nothing_can_be_drafted_from(retspec: Any, tmp_path: Path, config: str, message: str) -> None:
    (tmp_path / "train.yaml").write_text(config)
    finished = retspec("init", "--config", "train.yaml")
    assert finished.code == 2
    assert finished.err.startswith(message)
    assert not (tmp_path / "preflight.yaml").exists()


def test_a_table_with_folds_is_divided_in_the_draft(retspec: Any, tmp_path: Path) -> None:
    """The layout of most solutions on Kaggle: one table, which a script gave a column of folds."""
    (tmp_path / "input").mkdir()
    (tmp_path / "input/train_folds.csv").write_text("id_code,diagnosis,fold\na,0,0\nb,1,1\nc,2,2\n")
    (tmp_path / "train.yaml").write_text("train_csv: input/train_folds.csv\nimage_dir: input\n")
    assert retspec("init", "--config", "train.yaml", "spec.yaml").code == 0
    assert retspec("validate", "spec.yaml").code == 0
    drafted = load("spec.yaml").data
    assert drafted["data"]["csv"] == {
        "train": "input/train_folds.csv",
        "images": "input",
        "image_column": "id_code",
        "label_column": "diagnosis",
        "split_column": "fold",
        "splits": {"val": "0"},
    }
    assert "split_leakage" in drafted["checks"]
