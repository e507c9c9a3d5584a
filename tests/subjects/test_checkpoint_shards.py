"""Weights in several files."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from retspec.errors import SubjectError, UsageError
from retspec.review.recorded.verifying import _file_sha256
from retspec.subjects.checkpoints import chosen, load_into, recognise

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TENSORS = {
    "0.weight": torch.ones(2, 2),
    "0.bias": torch.zeros(2),
    "1.weight": torch.full((2, 2), 3.0),
    "1.bias": torch.ones(2),
}


def model() -> nn.Module:
    return nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))


@pytest.fixture(params=["model.safetensors", "pytorch_model.bin"])
def sharded(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The name of an index, of two shards."""
    stem, _, suffix = request.param.rpartition(".")
    save: Callable[..., Any] = save_file if suffix == "safetensors" else torch.save
    shards = {f"{stem}-0000{number}-of-00002.{suffix}": f"{number - 1}." for number in (1, 2)}
    for name, prefix in shards.items():
        save({key: each for key, each in TENSORS.items() if key.startswith(prefix)}, tmp_path / name)
    weight_map = {key: name for name, prefix in shards.items() for key in TENSORS if key.startswith(prefix)}
    index(tmp_path, weight_map, f"{request.param}.index.json")
    return f"{request.param}.index.json"


def index(folder: Path, weight_map: Any, name: str = "model.safetensors.index.json") -> None:
    (folder / name).write_text(json.dumps({"metadata": {"total_size": 1}, "weight_map": weight_map}))


def test_all_shards_of_an_index_fill_the_model(sharded: str, tmp_path: Path) -> None:
    filled = model()
    file = chosen(sharded, tmp_path)
    recognise(file)
    loading = load_into(filled, file)
    assert (loading.missing, loading.notes) == ((), ())
    assert loading.format.endswith(", 2 shards")
    assert filled.state_dict()["1.weight"].eq(3).all()


def test_the_hash_covers_index_and_shards(sharded: str, tmp_path: Path) -> None:
    names = [sharded, *sorted(path.name for path in tmp_path.glob("*-of-*"))]
    lines = [f"{hashlib.sha256((tmp_path / name).read_bytes()).hexdigest()}  {name}\n" for name in names]
    expected = hashlib.sha256("".join(lines).encode()).hexdigest()
    assert chosen(sharded, tmp_path).sha256() == expected == _file_sha256(tmp_path / sharded)


def test_one_shard_is_noted_as_such(sharded: str, tmp_path: Path) -> None:
    shard = min(path.name for path in tmp_path.glob("*-of-*"))
    loading = load_into(model(), chosen(shard, tmp_path))
    assert loading.missing == ("1.weight", "1.bias")
    (note,) = loading.notes
    assert note == (
        f"{shard} is one shard of 2: it holds a part of the weights; name the index {sharded}, which is beside it"
    )


@pytest.mark.parametrize(
    ("weight_map", "message"),
    [
        ({"a": "../secret.safetensors"}, "names '../secret.safetensors', which is no file beside it"),
        ({"a": "gone.safetensors"}, "names a shard that cannot be used: gone.safetensors is not there"),
        ({}, "is no index of shards: it has no `weight_map` from the names of tensors to files"),
        ({"a": 3}, "it has no `weight_map`"),
        (
            {"0.weight": "one.safetensors", "b": "one.safetensors"},
            "names 1 tensors that are in none of its shards, first b",
        ),
    ],
)
def test_an_index_that_does_not_hold_is_an_error(weight_map: dict[str, Any], message: str, tmp_path: Path) -> None:
    save_file(TENSORS, tmp_path / "one.safetensors")
    index(tmp_path, weight_map)
    with pytest.raises(SubjectError) as caught:
        load_into(model(), chosen("model.safetensors.index.json", tmp_path))
    assert message in str(caught.value)


def test_a_shard_that_changes_is_noticed(sharded: str, tmp_path: Path) -> None:
    file = chosen(sharded, tmp_path)
    file.parts[1].path.touch()
    with pytest.raises(SubjectError, match="changed while it was read"):
        load_into(model(), file)


def test_verify_says_what_is_wrong_with_an_index(tmp_path: Path) -> None:
    index(tmp_path, {})
    with pytest.raises(UsageError, match="is no index of shards"):
        _file_sha256(tmp_path / "model.safetensors.index.json")
