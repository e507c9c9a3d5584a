"""Training configs in every form: each is read as data, never run, and what cannot be read hinders nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from retspec.errors import Mark, SpecError
from retspec.spec.load import read_config

if TYPE_CHECKING:
    from pathlib import Path

    from retspec.spec.load.config import ConfigFile


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def read(text: str, name: str, folder: Path) -> ConfigFile:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)
    return read_config(name, Mark(name, 1, 1))


def problem(text: str, name: str, folder: Path) -> str:
    with pytest.raises(SpecError) as caught:
        read(text, name, folder)
    (found,) = caught.value.problems
    return str(found)


@pytest.mark.parametrize(
    ("value", "data"),
    [
        ("!!python/tuple [0.9, 0.999]", [0.9, 0.999]),
        ("!!python/object/apply:pathlib.PosixPath [data, aptos]", "data/aptos"),
        ("!!python/object:argparse.Namespace {lr: 0.1, sub: !!python/tuple [1]}", {"lr": 0.1, "sub": [1]}),
        ("!!python/object/apply:collections.OrderedDict [[[k, 1], [l, 2]]]", {"k": 1, "l": 2}),
        ("!!python/object/new:easydict.EasyDict {dictitems: {z: 1}, state: {z: 1}}", {"z": 1}),
        ("!!str 1e-4", "1e-4"),
        ("!!float 3", 3.0),
        ("!!int '7'", 7),
        ("!!bool 'True'", True),
        ("!!python/unicode text", "text"),
        ("!!set {p, q}", ["p", "q"]),
        ("!!omap [{a: 1}, {b: 2}]", {"a": 1, "b": 2}),
    ],
)
def test_tags_of_plain_data_are_read_as_data(value: str, data: Any, tmp_path: Path) -> None:
    config = read(f"a: {value}\nb: 1\n", "hparams.yaml", tmp_path)
    assert (config.data, config.unresolved) == ({"a": data, "b": 1}, {})


@pytest.mark.parametrize(
    "value",
    [
        "!!python/object:my.Own {x: 1}",
        "!!python/name:torch.nn.GELU ''",
        "!!python/object/apply:os.system [touch ran]",
        "!ENV HOME",
        "!!binary aGk=",
        "!!int many",
    ],
)
def test_any_other_tag_hinders_nothing_else_and_is_never_followed(value: str, tmp_path: Path) -> None:
    config = read(f"lr: 0.1\na: {value}\n", "hparams.yaml", tmp_path)
    assert config.data["lr"] == 0.1
    tag = value.split(maxsplit=1)[0]
    assert config.unresolved == {"a": f"has the tag '{tag}', whose meaning is not known here; write it as plain data"}
    assert not (tmp_path / "ran").exists()


def test_a_key_that_is_a_list_hinders_nothing_else(tmp_path: Path) -> None:
    assert read("? !!python/tuple [1, 2]\n: 3\nlr: 0.1\n", "hparams.yaml", tmp_path).data["lr"] == 0.1


def test_toml_is_read(tmp_path: Path) -> None:
    text = 'lr = 1e-4\nsince = 1979-05-27\nmost = inf\n[model]\nname = "resnet18"\nsizes = [1, 2]\n'
    data = read(text, "train.toml", tmp_path).data
    assert data == {
        "lr": 1e-4,
        "since": "1979-05-27",
        "most": "inf",
        "model": {"name": "resnet18", "sizes": [1, 2]},
    }
    assert problem("a = 1\nlr = \n", "bad.toml", tmp_path) == "bad.toml:2:6: this is not TOML: Invalid value"


PYTHON = """\
import os
from pathlib import Path
base = 1e-4
lr = base
model = dict(type="Classifier", name="resnet50", betas=(0.9, 0.999))
batch = 8 * 4
home = os.environ["HOME"]
data_dir = Path("data") / "aptos"
open("ran", "w").write("x")

class CFG:
    name = "resnet18"
    num_classes: int = 3
    lr = -1

cfg = dict()
cfg["seed"] = 4
CFG.lr = 0.1
first, second = 1, 2

@dataclass
class Options:
    depth: int = field(default=3)
"""


def test_python_is_read_and_never_run(tmp_path: Path) -> None:
    config = read(PYTHON, "train.py", tmp_path)
    data = {key: value for key, value in config.data.items() if key not in config.unresolved}
    assert data == {
        "base": 1e-4,
        "lr": 1e-4,
        "model": {"type": "Classifier", "name": "resnet50", "betas": [0.9, 0.999]},
        "data_dir": "data/aptos",
        "CFG": {"name": "resnet18", "num_classes": 3, "lr": 0.1},
        "cfg": {"seed": 4},
        "first": 1,
        "second": 2,
        "Options": {"depth": 3},
    }
    assert {*config.unresolved} == {"batch", "home"}
    assert config.unresolved["batch"].startswith("is '8 * 4', which would have to be run; ")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "text",
    [
        "if deep:\n    lr = 2",
        "if deep:\n    pass\nelse:\n    lr = 2",
        "for lr in (1, 2):\n    other = lr\n    lr = 3",
        "while deep:\n    lr += 2",
        "try:\n    lr: int = 2\nexcept E:\n    pass",
        "with read_base():\n    lr, wd = 2, 3",
        "match deep:\n    case 1:\n        lr = 2",
        "if deep:\n    if deeper:\n        lr = 2",
    ],
)
def test_what_a_branch_assigns_is_not_known(text: str, tmp_path: Path) -> None:
    config = read(f"lr = 1\nbatch = 8\n{text}\n", "train.py", tmp_path)
    assert config.data["batch"] == 8
    word = text.split(maxsplit=1)[0].rstrip(":")
    assert config.unresolved["lr"].startswith(f"is assigned inside of the `{word}` in line 3")


def test_branches_reach_into_classes_and_mappings_and_come_before_what_follows(tmp_path: Path) -> None:
    made = "class C:\n    lr = 1\n    if deep:\n        wd = 1\nm = dict(a=1)\n"
    text = f"{made}if deep:\n    C.lr = m['a'] = 2\nm['a'] = 3\n"
    config = read(text, "train.py", tmp_path)
    assert {*config.unresolved} == {"C.lr", "C.wd"}
    assert config.data["m"] == {"a": 3}


@pytest.mark.parametrize("test", ["__name__ == '__main__'", "TYPE_CHECKING", "typing.TYPE_CHECKING"])
def test_what_an_import_of_the_config_never_assigns_changes_nothing(test: str, tmp_path: Path) -> None:
    config = read(f"lr = 1\nif {test}:\n    lr = 2\n", "train.py", tmp_path)
    assert (config.data, config.unresolved) == ({"lr": 1}, {})


def test_floats_of_toml_may_have_underscores_between_digits(tmp_path: Path) -> None:
    text = "a = 1_000.5\nb = 1_0e-1_0\nc = 1_000\nd = +1.0\n"
    assert read(text, "train.toml", tmp_path).data == {"a": 1000.5, "b": 1e-9, "c": 1000, "d": 1.0}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a = 1\nx = (\n", "bad.py:2:5: this is not Python: '(' was never closed"),
        (f"x = {'[' * 60}{']' * 60}", "bad.py:1:55: this nests or goes on beyond reason; is this a config?"),
    ],
)
def test_what_is_wrong_in_python_is_marked(text: str, message: str, tmp_path: Path) -> None:
    assert problem(text, "bad.py", tmp_path) == message


DUMP = """\
[12:00:01] job dir: /runs
Namespace(batch_size=16,
model='RETFound_mae', lr=None, device=device(type='cuda'),
out=PosixPath('runs/a'), betas=(0.9, 0.95))
"""


def test_printed_arguments_are_found_in_a_log(tmp_path: Path) -> None:
    config = read(DUMP, "log.txt", tmp_path)
    assert [*config.unresolved] == ["device"]
    del config.data["device"]
    assert config.data == {
        "batch_size": 16,
        "model": "RETFound_mae",
        "lr": None,
        "out": "runs/a",
        "betas": [0.9, 0.95],
    }
    message = problem("x\n Namespace(a=<object at 0x1>)", "log.txt", tmp_path)
    assert message.startswith("log.txt:2:2: this Namespace(...) cannot be read: a value in it is no Python")


def test_the_defaults_of_hydra_are_composed(tmp_path: Path) -> None:
    for name, text in {
        "model/vit.yaml": "defaults: [/base, _self_]\nname: vit\nnum_classes: 3\n",
        "base.yaml": "dropout: 0.1\nname: none\n",
        "data/aptos.yaml": "# @package _global_\nbatch: 16\n",
    }.items():
        read(text, f"conf/{name}", tmp_path)
    text = (
        "defaults:\n  - model: vit\n  - data@ignored: aptos\n  - optional extra: none\n"
        "  - override hydra/launcher: slurm\nmodel: {num_classes: 5}\nlr: 0.1\n"
    ).replace("data@ignored", "data")
    config = read(text, "conf/config.yaml", tmp_path)
    assert config.data == {"model": {"name": "vit", "num_classes": 5, "dropout": 0.1}, "batch": 16, "lr": 0.1}
    late = read(text.replace("  - model", "  - _self_\n  - model"), "conf/config.yaml", tmp_path)
    assert late.data["model"]["num_classes"] == 3


def test_a_key_of_a_config_that_a_spec_has_too_is_composed_like_any_other(tmp_path: Path) -> None:
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf/base.yaml").write_text("checks: {loss_drop: 0.5, other: 1}\n")
    text = "defaults: [base, _self_]\nchecks: {loss_drop: {limit: 1}}\n"
    assert read(text, "conf/config.yaml", tmp_path).data == {"checks": {"loss_drop": {"limit": 1}, "other": 1}}


@pytest.mark.parametrize("defaults", ["[{model: gone}]", "[{model: ../x}]", "[{model: '${size}'}]", "[3]"])
def test_defaults_that_cannot_be_composed_stay(defaults: str, tmp_path: Path) -> None:
    config = read(f"defaults: {defaults}\nsize: s\n", "conf/config.yaml", tmp_path)
    assert config.data["size"] == "s"
    assert "defaults" in config.data


def test_defaults_that_name_each_other_end(tmp_path: Path) -> None:
    read("defaults: [config]\n", "conf/other.yaml", tmp_path)
    assert "defaults" in read("defaults: [other]\nlr: 1\n", "conf/config.yaml", tmp_path).data


def test_what_is_wrong_in_a_file_of_the_defaults_is_marked_there(tmp_path: Path) -> None:
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "other.yaml").write_text("a: [\n")
    assert problem("defaults: [other]\n", "conf/config.yaml", tmp_path).startswith("conf/other.yaml:2:1: ")
