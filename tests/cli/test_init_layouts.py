"""`retspec init --config` on what public projects write of their arguments."""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from retspec.cli.drafting import foundation
from retspec.spec.load import load

RETFOUND = {
    "batch_size": 16,
    "model": "RETFound_mae",
    "input_size": 224,
    "drop_path": 0.2,
    "weight_decay": 0.05,
    "lr": None,
    "blr": 5e-3,
    "accum_iter": 2,
    "finetune": "RETFound_mae_meh",
    "data_path": "./IDRiD",
    "nb_classes": 5,
    "output_dir": "./output_dir",
    "resume": "",
}
SAVED = Path(__file__).parents[1] / "cases" / "saved" / "fundus"
STATISTICS = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225], "interpolation": "bicubic"}


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a folder of its own, and as if the plugin were not installed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if "retspec-retfound" not in entry])
    monkeypatch.delitem(sys.modules, foundation.PLUGIN, raising=False)


def drafted(retspec: Any, name: str, text: str, *, valid: bool = True) -> dict[str, Any]:
    Path(name).write_text(text)
    finished = retspec("init", "--config", name, "draft.yaml")
    assert (finished.code, finished.err) == (0, "")
    assert not valid or retspec("validate", "draft.yaml").code == 0
    return load("draft.yaml").data


def folders(root: str, *splits: str) -> None:
    for split in splits:
        for label in "01":
            Path(root, split, label).mkdir(parents=True)


@pytest.mark.parametrize("printed", [False, True])
def test_arguments_of_retfound_are_drafted_as_its_authors_build_it(retspec: Any, *, printed: bool) -> None:
    folders("IDRiD", "train", "val", "test")
    dump = ",\n".join(f"{key}={value!r}" for key, value in RETFOUND.items())
    name, text = ("args.txt", f"Namespace({dump})\n") if printed else ("args.json", json.dumps(RETFOUND))
    data = drafted(retspec, name, text)
    assert data["model"] == {
        "timm": "vit_large_patch16_224.mae",
        "kwargs": {"num_classes": 5, "img_size": 224, "global_pool": "avg"},
        "checkpoint": "RETFound_mae_meh.pth",
    }
    assert data["data"] == {
        "imagefolder": {"root": "./IDRiD"},
        "transform": {"input_size": [3, 224, 224], **STATISTICS, "crop_pct": 0.875},
    }
    assert data["train"]["lr"] == pytest.approx(5e-3 * 16 * 2 / 256)
    assert {"checkpoint_coverage", "output_dir_writable"} <= data["checks"].keys()
    assert "`retfound: large` of the plugin retspec-retfound" in Path("draft.yaml").read_text()


def test_with_the_plugin_a_draft_names_it(retspec: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    package = Path("installed", foundation.PLUGIN)
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(package.parent.absolute()))
    folders("IDRiD", "train", "val")
    data = drafted(retspec, "args.json", json.dumps(RETFOUND), valid=False)
    assert data["plugins"] == ["retspec_retfound"]
    assert data["model"] == {
        "retfound": "large",
        "num_classes": 5,
        "img_size": 224,
        "checkpoint": "RETFound_mae_meh.pth",
    }
    assert data["data"]["transform"] == "retspec_retfound.transforms:large"


@pytest.mark.parametrize(
    ("config", "model", "crop"),
    [
        ({"model": "RETFound_dinov2", "input_size": 224}, "vit_large_patch14_dinov2.lvd142m", 0.875),
        ({"model": "RETFound_mae", "input_size": 384}, "vit_large_patch16_224.mae", 1),
        ({"model": "vit_large_patch16", "finetune": "./RETFound_cfp_weights.pth"}, "vit_large_patch16_224.mae", 0.875),
        ({"backbone": "retfound_green", "weights": "w.pth"}, "vit_small_patch14_reg4_dinov2", 1),
        (
            {"model": "vit_small_patch14_reg4_dinov2", "checkpoint_path": "retfoundgreen_statedict.pth"},
            "vit_small_patch14_reg4_dinov2",
            1,
        ),
    ],
)
def test_each_of_their_models_is_known(retspec: Any, config: dict[str, Any], model: str, crop: float) -> None:
    folders("x", "train")
    data = drafted(retspec, "args.json", json.dumps({"nb_classes": 5, "data_path": "x", **config}))
    assert data["model"]["timm"] == model
    assert data["data"]["transform"]["crop_pct"] == crop


def test_a_model_of_timm_with_their_weights_stays_that_of_timm(retspec: Any) -> None:
    config = {"model": "vit_large_patch16_224", "initial_checkpoint": "RETFound_cfp.pth", "num_classes": 5}
    data = drafted(retspec, "args.json", json.dumps(config))
    assert data["model"]["timm"] == "vit_large_patch16_224"
    assert "of the plugin retspec-retfound" in Path("draft.yaml").read_text()


TIMM = """\
batch_size: 32
data_dir: data/aptos
img_size: 224
initial_checkpoint: weights/start.pth
lr: 0.0005
mean: null
model: vit_small_patch16_224
model_ema: true
num_classes: 5
output: ./output/train
train_split: train
val_split: validation
"""


def test_arguments_of_timm_are_drafted(retspec: Any) -> None:
    folders("data/aptos", "train", "validation")
    data = drafted(retspec, "args.yaml", TIMM)
    assert data["model"]["checkpoint"] == "weights/start.pth"
    assert data["data"]["imagefolder"] == {"root": "data/aptos", "splits": {"train": "train", "val": "validation"}}
    assert "  # model_ema is on: the training keeps an exponential moving average" in Path("draft.yaml").read_text()


def test_arguments_of_transformers_are_drafted(retspec: Any) -> None:
    given = {"output_dir": "out", "per_device_train_batch_size": 8, "learning_rate": 5e-5, "weight_decay": 0.01}
    data = drafted(retspec, "training_args.json", json.dumps({**given, "gradient_accumulation_steps": 4}))
    assert data["train"] == {"steps": 20, "batch_size": 8, "accumulation": 4, "lr": 5e-5, "weight_decay": 0.01}
    assert "output_dir_writable" in data["checks"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("hparams.yaml", "backbone: resnet50\nnum_classes: 5\nbetas: !!python/tuple [0.9, 0.999]\n"),
        ("train.toml", '[model]\nname = "resnet50"\nnum_classes = 5\n'),
        ("train.py", 'class CFG:\n    model_name = "resnet50"\n    num_classes = 5\n'),
    ],
)
def test_every_form_of_a_config_is_drafted(retspec: Any, name: str, text: str) -> None:
    data = drafted(retspec, name, text)
    assert data["model"] == {"timm": "resnet50", "kwargs": {"num_classes": 5}}


def test_a_message_names_the_file(retspec: Any) -> None:
    Path("train.ini").write_text("[a]\nb = 1\n")
    finished = retspec("init", "--config", "train.ini")
    assert finished.code == 2
    assert finished.err.startswith("train.ini:1:1: config: 'train.ini' is not a config; it is a file of YAML, JSON,")


KAGGLE = """\
model_name: test_vit
pretrained: false
target_size: 5
size: 160
batch_size: 5
lr: 0.003
train_csv: input/train_folds.csv
train_dir: input/train_images
"""


def test_a_kaggle_solutions_table_of_folds_goes_from_its_config_to_verdicts(retspec: Any) -> None:
    """APTOS as its solutions have it: `id_code`, `diagnosis` and the `fold` of a stratified split in one table."""
    images = Path("input/train_images")
    images.mkdir(parents=True)
    names = [f"{number:012x}" for number in range(20)]
    for number, name in enumerate(names):
        Image.new("RGB", (64, 48), (40 * (number % 5), 10 * number, 90)).save(images / f"{name}.png")
    rows = [f"{name},{number % 5},{number // 5}" for number, name in enumerate(names)]
    Path("input/train_folds.csv").write_text("\n".join(["id_code,diagnosis,fold", *rows, ""]))
    data = drafted(retspec, "config.yaml", KAGGLE)
    assert data["data"] == {
        "csv": {
            "train": "input/train_folds.csv",
            "images": "input/train_images",
            "image_column": "id_code",
            "label_column": "diagnosis",
            "split_column": "fold",
            "splits": {"val": "0"},
            "extension": ".png",
        }
    }
    finished = retspec("run", "draft.yaml", "--no-reports", "--device", "cpu")
    assert finished.code == 0, finished.out
    for name in ("missing_files", "corrupt_images", "split_leakage", "labels_out_of_range", "loss_drop"):
        assert re.search(rf"^{name} .* met ", finished.out, re.MULTILINE), finished.out
    assert "no verdict" not in finished.out


def archives(folder: str, *names: str) -> None:
    Path(folder).mkdir(parents=True, exist_ok=True)
    for name in names:
        Path(folder, name).touch()


def test_a_dataset_that_hugging_face_saved_is_drafted(retspec: Any) -> None:
    shutil.copytree(SAVED, "data/fundus")
    config = {"model": "vit_small_patch16_224", "dataset_path": "data/fundus", "num_classes": 3}
    data = drafted(retspec, "args.json", json.dumps(config))
    assert data["data"] == {"datasets": {"root": "data/fundus"}}
    assert {"missing_files", "corrupt_images", "split_leakage"} <= data["checks"].keys()
    Path("draft.yaml").unlink()
    single = drafted(retspec, "one.json", json.dumps({**config, "dataset_path": "data/fundus/train"}))
    assert single["data"] == {"datasets": {"root": "data/fundus/train"}}
    assert "split_leakage" not in single["checks"]


def test_a_draft_of_a_saved_dataset_runs(retspec: Any) -> None:
    shutil.copytree(SAVED, "data/fundus")
    drafted(retspec, "args.json", json.dumps({"dataset_path": "data/fundus", "num_classes": 3}))
    finished = retspec("run", "draft.yaml", "--select", "missing_files", "--select", "split_leakage")
    assert finished.code == 0, finished.out


def test_shards_that_a_config_names_are_drafted(retspec: Any) -> None:
    archives("data", "train-000.tar", "train-001.tar", "val-000.tar")
    config = {"train_data": "data/train-{000..001}.tar", "val_data": "data/val-000.tar", "num_classes": 3}
    data = drafted(retspec, "args.json", json.dumps(config))
    assert data["data"] == {"webdataset": {"train": "data/train-{000..001}.tar", "val": "data/val-000.tar"}}
    assert {"missing_files", "corrupt_images", "split_leakage"} <= data["checks"].keys()


@pytest.mark.parametrize(
    ("names", "patterns"),
    [
        (["train-000.tar", "train-001.tar", "val-000.tar"], {"train": "train-{000..001}.tar", "val": "val-000.tar"}),
        (["train_8.tar", "train_10.tar"], {"train": "train_{8..10}.tar"}),
        (["training.tar", "validation-0.tar"], {"train": "training.tar", "val": "validation-0.tar"}),
    ],
)
def test_a_folder_of_shards_is_drafted_by_their_names(retspec: Any, names: list[str], patterns: dict[str, str]) -> None:
    archives("shards", *names)
    data = drafted(retspec, "args.json", json.dumps({"data_dir": "shards", "num_classes": 3}))
    assert data["data"] == {"webdataset": {split: f"shards/{pattern}" for split, pattern in patterns.items()}}


@pytest.mark.parametrize("url", ["pipe:curl https://host/{0..3}.tar", "s3://bucket/train-{0..3}.tar"])
def test_shards_elsewhere_are_not_drafted(retspec: Any, url: str) -> None:
    data = drafted(retspec, "args.json", json.dumps({"model": "vit_small_patch16_224", "train_urls": url}))
    assert "synthetic" in data["data"]
