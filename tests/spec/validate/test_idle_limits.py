"""A limit that no observation can miss is an error of the spec; one that hardly any misses is a doubt."""

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


@pytest.mark.parametrize(
    ("criterion", "why"),
    [
        ("loss_drop: -1000", "what is observed is seldom below -10"),
        ("dead_gradients: 1000000000", "what is observed is seldom above 1,000,000"),
        ("merge_atol: 1e29", "what is observed is seldom above 10,000"),
        ("amp_rtol: 10.0", "what is observed is seldom above 10"),
        ("max_trainable_fraction: 0.9999999", "nothing observed is above 1"),
        ("overfit_accuracy: 1e-9", "nothing observed is below 0"),
        ("adapter_effect: 1e-300", "nothing observed is below 0"),
        ("max_final_loss: 1e6", "what is observed is seldom above 1,000,000"),
    ],
)
def test_one_that_is_hardly_ever_missed_is_a_doubt_with_its_place(criterion: str, why: str, tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    name, _, limit = criterion.partition(": ")
    path.write_text(f"{HEAD}  {criterion}\n")
    (doubt,) = validate(load(path), gather(entry_points=False)).doubts
    shown = float(limit) if "." in limit or "e" in limit else int(limit)
    shown = float(shown) if name == "loss_drop" else shown
    assert doubt.message == f"{name}: the limit {shown} is hardly ever missed: {why}"
    assert doubt.mark.line == 5


@pytest.mark.parametrize("criterion", ["loss_drop: -0.5", "dead_gradients: 100", "max_trainable_params: 100000000000"])
def test_a_limit_that_somebody_may_mean_is_no_doubt(criterion: str, tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(f"{HEAD}  {criterion}\n")
    assert validate(load(path), gather(entry_points=False)).doubts == ()


@pytest.mark.parametrize("criterion", ["dead_gradients: -1", "merge_atol: -1e-9", "max_grad_norm: -1"])
def test_a_limit_that_nothing_meets_is_refused(criterion: str, tmp_path: Path) -> None:
    (message,) = faults_of(criterion, tmp_path)
    assert message.endswith("is out of range; allowed: at least 0")
