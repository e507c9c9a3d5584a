"""A spec as a mapping of Python: the same as its file, with places that are named by their keys."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from retspec.errors import SpecError
from retspec.prepare import prepare, prepare_cells
from retspec.spec.load import load

SMALL: dict[str, Any] = {"model": {"timm": "vit_tiny_patch16_224"}, "checks": {"max_trainable_params": 5}}


def test_a_mapping_is_read_as_the_file_that_holds_it(tmp_path: Path) -> None:
    written = {"retspec": 1, "name": "spec", **SMALL, "checks": {"rank_params": {4: 393_216}, "merge_atol": 1e-5}}
    written["model"] = {**SMALL["model"], "lora": {"r": np.int64(4), "target_modules": ("qkv",)}}
    file = tmp_path / "spec.yaml"
    file.write_text(
        yaml.safe_dump({**written, "model": {**SMALL["model"], "lora": {"r": 4, "target_modules": ["qkv"]}}})
    )
    of_file, of_mapping = load(file), load(written)
    assert (of_mapping.data, of_mapping.sha256) == (of_file.data, of_file.sha256)
    assert of_mapping.problems == of_file.problems == ()
    assert prepare(written, entry_points=False)[0].measurements == prepare(file, entry_points=False)[0].measurements


def test_version_and_name_may_be_left_out_and_paths_and_overrides_count(tmp_path: Path) -> None:
    spec = {**SMALL, "config": tmp_path / "none.yaml"}
    assert load(spec).data["config"] == str(tmp_path / "none.yaml")
    plan, _ = prepare(SMALL, overrides=["checks.max_trainable_params=7"], entry_points=False)
    assert (plan.spec.name, plan.spec.criteria[0].limit) == ("spec", 7)


def test_a_mapping_may_have_a_matrix_and_extend_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("base.yaml").write_text("retspec: 1\nchecks: {max_trainable_params: 9}\n")
    spec = {"model": SMALL["model"], "extends": "base.yaml", "matrix": {"train.lr": [0.1, 0.2]}, "checks": {}}
    plans, _ = prepare_cells(spec, entry_points=False)
    assert [(plan.spec.cell, plan.spec.criteria[0].limit) for plan in plans] == [("lr=0.1", 9), ("lr=0.2", 9)]


@pytest.mark.parametrize(
    ("checks", "said"),
    [
        ({"max_trainable_parms": 5}, "unknown check 'max_trainable_parms'; did you mean 'max_trainable_params'?"),
        ({"max_trainable_params": "many"}, "checks.max_trainable_params"),
        ({"max_trainable_params": float("nan")}, "checks.max_trainable_params: nan compares with nothing"),
        (
            {"max_trainable_params": object()},
            "checks.max_trainable_params: expected text, a number, a list or a mapping; found object",
        ),
        ({3.5: 5}, "checks.3.5: a key must be text, found float"),
        (
            {"max_trainable_params": {"limit": 5, "tags": ["a\0b"]}},
            "checks.max_trainable_params.tags.0: the character U+0000",
        ),
    ],
)
def test_what_is_wrong_is_named_by_its_keys(checks: dict[Any, Any], said: str) -> None:
    with pytest.raises(SpecError) as caught:
        prepare({**SMALL, "checks": checks}, entry_points=False)
    assert any(said in line for line in str(caught.value).splitlines())
    assert ":0:0" not in str(caught.value)
    assert str(caught.value).count("checks.") == len(caught.value.problems)


def test_a_mapping_in_a_circle_is_refused() -> None:
    circle: dict[str, Any] = {}
    circle["again"] = circle
    with pytest.raises(SpecError, match="nested deeper than 50 levels"):
        load({"vars": circle})
