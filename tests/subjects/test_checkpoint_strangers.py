"""What scripts save beside weights: data is passed over, and for anything else the message has the way out."""

from __future__ import annotations

import argparse
import collections
import datetime as dt
import functools
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from retspec.errors import SubjectError
from retspec.subjects.checkpoints import find, load_into
from retspec.subjects.checkpoints.outline import outline
from tests.subjects.hostile import Runs

SOUND = {"weight": torch.ones(2, 2), "bias": torch.zeros(2)}


@dataclass
class Own:
    """A class that only its project knows."""

    lr: float = 1.0


class EasyDict(dict[str, Any]):
    """As the package easydict has it: a dict whose items are attributes, too."""

    def __init__(self, items: dict[str, Any] | None = None) -> None:
        super().__init__(items or {})
        self.__dict__.update(items or {})


BESIDE: dict[str, Any] = {
    "numpy number": np.float64(0.9),
    "numpy array": np.arange(3),
    "state of numpy's generator": np.random.get_state(),  # noqa: NPY002 - what scripts save
    "path": Path("runs"),
    "namespace of paths": argparse.Namespace(output=Path("runs")),
    "date": dt.datetime(2024, 1, 1),  # noqa: DTZ001 - what scripts save
    "defaultdict": collections.defaultdict(list, {"loss": [1.0]}),
    "deque": collections.deque([1, 2], maxlen=3),
    "version of torch": torch.__version__,
}


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("what", BESIDE)
def test_data_beside_weights_is_passed_over(what: str, tmp_path: Path, *, legacy: bool) -> None:
    torch.save({"model": SOUND, "x": BESIDE[what]}, tmp_path / "w.pth", _use_new_zipfile_serialization=not legacy)
    model = nn.Linear(2, 2)
    assert load_into(model, find("w.pth", tmp_path)).missing == ()
    assert model.weight.eq(1).all()


def test_configurations_of_omegaconf_are_passed_over(tmp_path: Path) -> None:
    omegaconf = pytest.importorskip("omegaconf")
    config = omegaconf.OmegaConf.create({"a": {"b": [1, {"c": None}]}, "d": "${a.b}"})
    torch.save({"state_dict": SOUND, "hyper_parameters": config}, tmp_path / "w.ckpt")
    assert load_into(nn.Linear(2, 2), find("w.ckpt", tmp_path)).missing == ()


def test_mappings_of_other_packages_need_not_be_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("easydict")
    monkeypatch.setitem(sys.modules, "easydict", module)
    monkeypatch.setattr(EasyDict, "__module__", "easydict")
    module.EasyDict = EasyDict  # type: ignore[attr-defined]
    torch.save({"net": SOUND, "cfg": EasyDict({"a": {"b": 1}})}, tmp_path / "w.pth")
    monkeypatch.delitem(sys.modules, "easydict")
    assert load_into(nn.Linear(2, 2), find("w.pth", tmp_path)).wrapper == "net"


def refusal(held: Any, folder: Path) -> str:
    torch.save(held, folder / "w.pth")
    with pytest.raises(SubjectError) as caught:
        load_into(nn.Linear(2, 2), find("w.pth", folder))
    return str(caught.value)


STRANGERS: dict[str, tuple[Any, str]] = {
    "config": ({"net": SOUND, "config": Own()}, r"test_checkpoint_strangers\.Own under the key 'config'"),
    "deep": ({"sd": SOUND, "hp": {"opt": functools.partial(dict)}}, r"functools\.partial under the key 'hp\.opt'"),
    "beside bare weights": ({**SOUND, "loss": nn.MSELoss()}, r"MSELoss under the key 'loss'"),
    "module": (nn.Linear(2, 2), r"torch\.nn\.modules\.linear\.Linear"),
    "module under a key": ({"model": nn.Linear(2, 2), "epoch": 1}, r"Linear under the key 'model'"),
    "arrays": ({"sd": {name: each.numpy() for name, each in SOUND.items()}}, "holds numpy arrays, not tensors"),
}


@pytest.mark.parametrize("what", STRANGERS)
def test_the_lines_of_the_message_write_the_weights_again(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, names = STRANGERS[what]
    text = refusal(held, tmp_path)
    assert re.search(names, text)
    monkeypatch.chdir(tmp_path)
    for line in re.findall("`(.+?)`", text):
        exec(line, globals())  # noqa: S102 - what a user would type
    assert load_into(nn.Linear(2, 2), find("w-weights.pth", tmp_path)).missing == ()


def test_to_load_what_does_harm_is_never_advised(tmp_path: Path) -> None:
    text = refusal({"net": SOUND, "x": Runs(tmp_path / "ran")}, tmp_path)
    assert "posix.mkdir under the key 'x'" in text
    assert "weights_only" not in text
    assert not (tmp_path / "ran").exists()


def test_data_that_harm_hides_in_is_still_refused(tmp_path: Path) -> None:
    text = refusal({"net": SOUND, "args": argparse.Namespace(x=[Path("a"), Runs(tmp_path / "ran")])}, tmp_path)
    assert "posix.mkdir under the key 'args" in text
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "pickled", [b"", b"\x80\x02", b"\x80\x02}q\x01h\x07.", b"(((((", b"\x80\x02ccollections\nx\n(."]
)
def test_an_outline_of_a_broken_pickle_is_none_or_harmless(pickled: bytes) -> None:
    root = outline(pickled)
    assert root is None or root.keys_of({"os.system"}) == {}


def test_an_outline_of_a_pickle_that_holds_itself_ends() -> None:
    root = outline(b"\x80\x02}q\x00X\x01\x00\x00\x00aq\x01h\x00s.")
    assert root is not None
    assert root.tensors == 0
