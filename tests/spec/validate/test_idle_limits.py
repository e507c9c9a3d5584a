"""A limit that no observation can miss is an error of the spec."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from retspec.errors import SpecError
from retspec.plugins.catalog import gather
from retspec.spec.load import load
from retspec.spec.validate import validate

if TYPE_CHECKING:
    from pathlib import Path

HEAD = (
    "retspec: 1\nmodel: {timm: vit_tiny_patch16_224, lora: {target_modules: [qkv]}}\ndata: {synthetic: {}}\nchecks:\n"
)


def faults_of(criterion: str, folder: Path) -> list[str]:
    path = folder / "spec.yaml"
    path.write_text(f"{HEAD}  {criterion}\n")
    try:
        validate(load(path), gather(entry_points=False))
    except SpecError as error:
        return [problem.message for problem in error.problems]
    return []


@pytest.mark.parametrize(
    ("criterion", "why"),
    [
        ("max_trainable_fraction: 1", "the limit 1.0 is never missed: nothing observed is above 1"),
        ("min_trainable_params: 0", "the limit 0 is never missed: nothing observed is below 0"),
        ("adapter_effect: 0", "the limit 0.0 is never missed: nothing observed is below 0"),
        ("overfit_accuracy: 0.0", "the limit 0.0 is never missed: nothing observed is below 0"),
        ("merge_atol: 1e308", "the limit 1e+308 is never missed: it is no limit at all"),
        ("loss_drop: -1e40", "the limit -1e+40 is never missed: it is no limit at all"),
    ],
)
def test_it_is_refused_with_the_reason(criterion: str, why: str, tmp_path: Path) -> None:
    name = criterion.partition(":")[0]
    assert faults_of(criterion, tmp_path) == [f"{name}: {why}"]


@pytest.mark.parametrize(
    "criterion",
    [
        "max_trainable_fraction: 0.99",
        "max_trainable_fraction: 0",
        "min_trainable_params: 1",
        "overfit_accuracy: 1.0",
        "loss_drop: 0",
        "dead_gradients: 0",
        "head_trainable: true",
        "embed_dim: 192",
    ],
)
def test_one_that_can_be_missed_is_taken(criterion: str, tmp_path: Path) -> None:
    assert faults_of(criterion, tmp_path) == []
