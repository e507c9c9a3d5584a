"""One base model serves subject after subject, and never one that is not what it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch

from retspec.prepare import prepare
from retspec.subjects.models.base_models import BaseModels
from retspec.subjects.subject import Subject

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from torch import Tensor, nn

SPEC = """
retspec: 1
model:
  timm: vit_tiny_patch16_224
  kwargs: {img_size: 32, patch_size: 8, embed_dim: 48, depth: 2, num_heads: 2, num_classes: 3}
  lora: {r: 4, target_modules: [qkv], modules_to_save: [head]}
checks: {merge_atol: 1e-5}
"""
RANK_8 = "model.lora.r=8"


@pytest.fixture
def subject(tmp_path: Path) -> Callable[..., Subject]:
    spec = tmp_path / "spec.yaml"
    spec.write_text(SPEC)

    def make(*overrides: str, bases: BaseModels | None = None) -> Subject:
        plan, catalog = prepare(spec, overrides=overrides, entry_points=False)
        return Subject(
            plan.spec,
            model_sources=catalog.model_sources,
            data_sources=catalog.data_sources,
            weights=True,
            bases=bases,
            keep=True,
        )

    return make


def state(model: nn.Module) -> dict[str, tuple[Tensor, bool]]:
    return {name: (parameter.detach().clone(), parameter.requires_grad) for name, parameter in model.named_parameters()}


def same(left: dict[str, tuple[Tensor, bool]], right: dict[str, tuple[Tensor, bool]]) -> bool:
    return left.keys() == right.keys() and all(
        torch.equal(tensor, right[name][0]) and trains == right[name][1] for name, (tensor, trains) in left.items()
    )


@pytest.mark.parametrize(
    "then", [RANK_8, "model.lora.modules_to_save=[]", "model.lora.use_dora=true", "model.lora.target_modules=[fc1]"]
)
def test_a_later_subject_gets_what_it_would_have_made_itself(then: str, subject: Callable[..., Subject]) -> None:
    bases = BaseModels()
    first = subject(bases=bases)
    first.model.train()
    later = subject(then, bases=bases)
    assert same(state(later.model), state(subject(then).model))
    assert {id(p) for p in later.model.parameters()} & {id(p) for p in first.model.parameters()}


def test_a_base_that_somebody_changed_is_made_anew(subject: Callable[..., Subject]) -> None:
    bases = BaseModels()
    with torch.no_grad():
        dict(subject(bases=bases).model.named_parameters())["base_model.model.cls_token"].add_(1)
    assert same(state(subject(RANK_8, bases=bases).model), state(subject(RANK_8).model))


@pytest.mark.parametrize("other", ["run.seed=7", "run.dtype=float64", "model.kwargs.depth=1"])
def test_another_base_is_no_base_of_this_one(other: str, subject: Callable[..., Subject]) -> None:
    bases = BaseModels()
    first = subject(bases=bases).model
    assert not {id(p) for p in first.parameters()} & {id(p) for p in subject(other, bases=bases).model.parameters()}
    assert same(state(subject(other, bases=bases).model), state(subject(other).model))
