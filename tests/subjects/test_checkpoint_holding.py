"""With `fill: false` a model that its factory has filled is held against the file, however it is wrapped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import nn

from retspec.errors import SubjectError
from retspec.measurements.checkpoint import checkpoint
from retspec.subjects.checkpoints import Loaded, find, hold_against, load_into
from retspec.subjects.models.structure import groups, input_size
from tests.tiny import CLASSES, base
from tests.tiny_checkpoints import Loading

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

    from retspec import facts


@pytest.fixture
def weights() -> dict[str, Tensor]:
    torch.manual_seed(1)
    return {name: torch.randn_like(tensor) for name, tensor in base().state_dict().items()}


def measured(model: nn.Module, held: Any, folder: Path) -> facts.Checkpoint:
    torch.save(held, folder / "w.pth")
    file = find("w.pth", folder)
    found: facts.Checkpoint = checkpoint(model, Loaded(hold_against(model, file), file))
    return found


def test_nothing_is_loaded(weights: dict[str, Tensor], tmp_path: Path) -> None:
    model = Loading({})
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    found = measured(model, weights, tmp_path)
    assert all(tensor.equal(before[name]) for name, tensor in model.state_dict().items())
    assert (found.loading.fill, found.loading.loaded_elements) == (False, 0)
    assert len(found.altered) == found.compared == len(weights)


def test_what_equals_the_file_counts_whatever_peft_put_around_it(weights: dict[str, Tensor], tmp_path: Path) -> None:
    found = measured(Loading(weights), {"teacher": {f"backbone.{n}": t for n, t in weights.items()}}, tmp_path)
    assert found.loading.loaded_elements == found.loading.model_elements == sum(t.numel() for t in weights.values())
    assert (found.loading.missing, found.loading.unexpected, found.altered) == ((), (), ())


def test_one_layer_made_anew_is_named(weights: dict[str, Tensor], tmp_path: Path) -> None:
    model = Loading(weights)
    model.backbone.base_model.model.blocks[1].mlp.fc1.reset_parameters()
    found = measured(model, weights, tmp_path)
    assert found.altered == ("blocks.1.mlp.fc1.weight", "blocks.1.mlp.fc1.bias")
    assert found.loading.model_elements - found.loading.loaded_elements == 48 * 192 + 192


@pytest.mark.parametrize("options", [{"antialias": True}, {"align_corners": False}])
def test_position_embeddings_may_be_resampled_in_any_way(
    options: dict[str, bool], weights: dict[str, Tensor], tmp_path: Path
) -> None:
    token, grid = weights["pos_embed"][:, :1], weights["pos_embed"][:, 1:]
    square = grid.reshape(1, 4, 4, 48).permute(0, 3, 1, 2)
    larger = nn.functional.interpolate(square, size=(8, 8), mode="bicubic", **options)
    own = {**weights, "pos_embed": torch.cat([token, larger.permute(0, 2, 3, 1).flatten(1, 2)], dim=1)}
    found = measured(Loading(own, img_size=64), weights, tmp_path)
    assert (found.loading.resampled, found.altered) == (("pos_embed",), ())


def test_position_embeddings_that_were_left_out_are_seen(weights: dict[str, Tensor], tmp_path: Path) -> None:
    body = {name: tensor for name, tensor in weights.items() if name != "pos_embed"}
    assert measured(Loading(body, img_size=64), weights, tmp_path).altered == ("pos_embed",)


def test_a_head_of_its_own_beside_the_backbone_is_no_part_of_what_the_file_fills(
    weights: dict[str, Tensor], tmp_path: Path
) -> None:
    model = nn.ModuleDict({"body": base(num_classes=0), "top": nn.Linear(48, CLASSES)})
    body = {name: tensor for name, tensor in weights.items() if not name.startswith("head.")}
    model["body"].load_state_dict(body)
    loading = measured(model, body, tmp_path).loading
    assert (loading.missing, loading.loaded_elements) == ((), loading.model_elements)


def test_a_file_of_other_names_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SubjectError, match="has nothing for this model: its one tensor does not fit"):
        measured(Loading({}), {"conv1.weight": torch.ones(2)}, tmp_path)


def test_a_model_that_comes_wrapped_cannot_be_filled_and_says_what_to_do(
    weights: dict[str, Tensor], tmp_path: Path
) -> None:
    torch.save(weights, tmp_path / "w.pth")
    with pytest.raises(
        SubjectError, match="wrapped the model already: let it load the file too, and say `fill: false`"
    ):
        load_into(Loading({}), find("w.pth", tmp_path))


def test_head_and_input_size_are_found_one_attribute_deep() -> None:
    model = Loading({})
    counted = {str(group): 0 for _, _, group in groups(model)}
    for _, parameter, group in groups(model):
        counted[group] += parameter.numel() * parameter.requires_grad
    assert counted == {"adapter": 2 * 4 * (48 + 144), "head": 48 * CLASSES + CLASSES, "other": 0}
    assert input_size(model) == (3, 32, 32)
