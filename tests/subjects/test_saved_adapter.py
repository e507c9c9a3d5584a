"""A saved adapter is loaded in whole or not at all, and what does not fit is told with its place in the spec."""

from __future__ import annotations

import hashlib
import json
import pickle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from retspec.errors import SubjectError
from retspec.prepare import prepare
from retspec.subjects.subject import Subject
from tests.here import run_here
from tests.house.refresh import ROOT
from tests.tiny import base, vit

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor, nn

SPEC = """
retspec: 1
model: {factory: "tests.tiny:base", adapter: saved}
checks: {max_trainable_params: 10_000, loaded_adapter_effect: 1e-3}
"""
LORA = "model.lora={r: 4, alpha: 16, target_modules: [qkv], modules_to_save: [head]}"
WEIGHTS = "adapter_model.safetensors"


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """The folder of an adapter that was trained on the tiny ViT."""
    torch.manual_seed(7)
    vit(init_lora_weights=False).save_pretrained(tmp_path / "saved")
    (tmp_path / "spec.yaml").write_text(SPEC)
    return tmp_path / "saved"


def subject(saved: Path, *overrides: str, weights: bool = True) -> Subject:
    plan, catalog = prepare(saved.parent / "spec.yaml", overrides=overrides, entry_points=False)
    return Subject(plan.spec, model_sources=catalog.model_sources, data_sources=catalog.data_sources, weights=weights)


def refusal(saved: Path, *overrides: str, weights: bool = True) -> str:
    with pytest.raises(SubjectError) as error:
        _ = subject(saved, *overrides, weights=weights).skeleton
    return f"{error.value.path}: {error.value}"


def edit_config(saved: Path, **changes: Any) -> None:
    file = saved / "adapter_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def edit_weights(saved: Path, edit: Callable[[dict[str, Tensor]], dict[str, Tensor]]) -> None:
    save_file(edit(load_file(saved / WEIGHTS)), saved / WEIGHTS)


def trainable(model: nn.Module) -> dict[str, Tensor]:
    return {name: p.detach() for name, p in model.named_parameters() if p.requires_grad}


@pytest.mark.parametrize("lora", [[], [LORA]], ids=["alone", "beside the same lora"])
def test_what_was_saved_is_what_is_measured_and_it_can_train_on(saved: Path, lora: list[str]) -> None:
    torch.manual_seed(7)
    expected, loaded = trainable(vit(init_lora_weights=False)), trainable(subject(saved, *lora).model)
    assert loaded.keys() == expected.keys()
    assert all(torch.equal(loaded[name], tensor) for name, tensor in expected.items())


def test_a_file_of_torch_save_is_read_as_well(saved: Path) -> None:
    weights = load_file(saved / WEIGHTS)
    (saved / WEIGHTS).unlink()
    torch.save(weights, saved / "adapter_model.bin")
    assert torch.equal(
        trainable(subject(saved).model)["base_model.model.blocks.0.attn.qkv.lora_B.default.weight"],
        weights["base_model.model.blocks.0.attn.qkv.lora_B.weight"],
    )


def test_counting_makes_no_weights_and_still_holds_the_file_against_the_model(saved: Path) -> None:
    skeleton = subject(saved, weights=False).skeleton
    assert all(parameter.is_meta for parameter in skeleton.module.parameters())
    edit_config(saved, r=2)
    assert "other shapes" in refusal(saved, weights=False)


def without(part: str) -> Callable[[dict[str, Tensor]], dict[str, Tensor]]:
    return lambda weights: {name: tensor for name, tensor in weights.items() if part not in name}


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (without("blocks.1"), "the file lacks base_model.model.blocks.1.attn.qkv.lora_A.weight"),
        (without("head"), "the file lacks base_model.model.head"),
        (lambda w: {**w, "base_model.model.blocks.7.attn.qkv.lora_A.weight": torch.ones(4, 48)}, "has no place for"),
        (lambda w: {name.removeprefix("base_model."): t for name, t in w.items()}, "the file lacks"),
        (lambda w: {name: t * float("nan") for name, t in w.items()}, "holds NaN or infinity in"),
        (lambda _w: {}, "holds no named weights"),
    ],
    ids=["a layer lost", "the head lost", "a layer too many", "another prefix", "not finite", "empty"],
)
def test_weights_that_do_not_fit_are_told(
    edit: Callable[[dict[str, Tensor]], dict[str, Tensor]], words: str, saved: Path
) -> None:
    edit_weights(saved, edit)
    message = refusal(saved)
    assert message.startswith("model.adapter: saved")
    assert words in message


def test_another_rank_in_the_configuration_is_told(saved: Path) -> None:
    edit_config(saved, r=8)
    assert "lora_A.weight is (4, 48) in the file and (8, 48) in the model" in refusal(saved)


def test_a_base_of_another_width_is_told(saved: Path) -> None:
    assert "other shapes" in refusal(saved, "model.kwargs={embed_dim: 96}")


def test_a_base_without_the_adapted_layers_is_told(saved: Path) -> None:
    assert "does not fit the model" in refusal(saved, 'model.factory="tests.tiny:convnet"')


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"lora_alpha": 64}, "alpha is 64 there, 16 in the spec"),
        ({"target_modules": ["qkv", "proj"]}, "target_modules is [proj, qkv] there, [qkv] in the spec"),
        ({"use_rslora": True}, "use_rslora is true there, false in the spec"),
        ({"modules_to_save": None}, "modules_to_save is [] there, [head] in the spec"),
    ],
)
def test_an_adapter_that_is_not_what_the_spec_says_is_told(changes: dict[str, Any], words: str, saved: Path) -> None:
    edit_config(saved, **changes)
    message = refusal(saved, LORA)
    assert message.startswith("model.lora: saved is not what the spec says")
    assert words in message


def test_a_folder_that_is_not_there_is_told_with_the_near_miss(saved: Path) -> None:
    assert "saved_/adapter_config.json is not there" in refusal(saved, "model.adapter=saved_")
    (saved / WEIGHTS).unlink()
    assert f"saved/{WEIGHTS} is not there" in refusal(saved)


def test_the_file_in_place_of_its_folder_is_told(saved: Path) -> None:
    assert "name the folder that holds it" in refusal(saved, f"model.adapter=saved/{WEIGHTS}")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"peft_type": "NONE"}', '{"peft_type": "LORA", "r": "x"}', "\x00"])
def test_a_configuration_that_is_none_is_told(text: str, saved: Path) -> None:
    (saved / "adapter_config.json").write_text(text)
    assert refusal(saved).startswith("model.adapter: saved")


def test_the_code_of_a_pickle_never_runs(saved: Path, tmp_path: Path) -> None:
    class Hostile:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (tmp_path / "ran",)

    (saved / WEIGHTS).unlink()
    torch.save({"x": Hostile()}, saved / "adapter_model.bin", pickle_module=pickle)
    assert "could run code" in refusal(saved)
    assert not (tmp_path / "ran").exists()


def test_the_report_tells_which_adapter_it_was(saved: Path) -> None:
    before = subject(saved).adapter_sha256
    edit_weights(saved, lambda weights: {name: tensor + 1 for name, tensor in weights.items()})
    assert len(before) == 64
    assert subject(saved).adapter_sha256 != before


def test_a_checkpoint_that_is_not_the_pinned_one_is_told(saved: Path) -> None:
    save_file(base().state_dict(), saved.parent / "base.safetensors")
    named = subject(saved, "model.checkpoint=base.safetensors")
    pinned = ["model.checkpoint=base.safetensors", f"model.checkpoint_sha256={named.checkpoint_sha256}"]
    assert subject(saved, *pinned).loaded.loading.missing == ()
    save_file({name: tensor + 1 for name, tensor in base().state_dict().items()}, saved.parent / "base.safetensors")
    assert refusal(saved, *pinned).startswith("model.checkpoint_sha256: base.safetensors is another file")


def test_a_model_that_cannot_be_built_without_weights_may_be_pinned_too(saved: Path) -> None:
    save_file(base().state_dict(), saved.parent / "base.safetensors")
    named = ["model.checkpoint=base.safetensors", 'model.factory="tests.tiny:looks_at_its_weights"']
    pin = f"model.checkpoint_sha256={hashlib.sha256((saved.parent / 'base.safetensors').read_bytes()).hexdigest()}"
    assert subject(saved, *named, pin, weights=False).skeleton


def test_the_shipped_spec_for_a_release_is_met_by_a_trained_adapter(saved: Path) -> None:
    sizes = "{img_size: 32, patch_size: 8, embed_dim: 48, depth: 2, num_heads: 2, num_classes: 3}"
    tiny = ["model.timm=vit_tiny_patch16_224", f"model.kwargs={sizes}", LORA, f"vars.adapter={saved}"]
    counts = ("lora_layers=2", "output_shape=[2, 3]", "min_trainable_params=1_683", "sequence_length=17")
    results = run_here(ROOT / "specs" / "adapter_release.yaml", [*tiny, *(f"checks.{count}" for count in counts)])
    assert {name: result.reason for name, result in results.items() if result.verdict != "met"} == {}
