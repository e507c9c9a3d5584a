"""An adapter from a stranger is refused in one line, or loads; nothing in its folder, or beside it, ever runs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import peft
import pytest
import torch

from retspec.errors import SubjectError
from retspec.prepare import prepare
from retspec.subjects.models.adapter_keys import KINDS
from retspec.subjects.subject import Subject
from tests.subjects.hostile_adapters import CONFIG, EVIL, FILES, KEYS, TEXTS, WEIGHTS, change
from tests.tiny import base, vit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("unmeasured_programs")

SPEC = """
retspec: 1
model:
  timm: vit_tiny_patch16_224
  kwargs: {img_size: 32, patch_size: 8, embed_dim: 48, depth: 2, num_heads: 2, num_classes: 3}
  adapter: saved
checks: {max_trainable_params: 10_000, loaded_adapter_effect: 1e-3}
"""


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("healthy")
    torch.manual_seed(7)
    vit(init_lora_weights=False).save_pretrained(folder)
    return folder


@pytest.fixture
def saved(healthy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A healthy adapter, and code beside it that must never run."""
    monkeypatch.setattr(sys, "path", sys.path.copy())
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "saved"
    shutil.copytree(healthy, folder)
    (tmp_path / "spec.yaml").write_text(SPEC)
    for place in (folder, tmp_path):
        (place / "evil.py").write_text(EVIL)
        (place / "__init__.py").write_text(EVIL)
    yield folder
    assert [*tmp_path.rglob("ran")] == []
    assert not {"evil", "saved", "saved.evil"} & sys.modules.keys()


def subject(saved: Path) -> Subject:
    plan, catalog = prepare(saved.parent / "spec.yaml", entry_points=False)
    return Subject(plan.spec, model_sources=catalog.model_sources, data_sources=catalog.data_sources, weights=True)


def refusal(saved: Path) -> str:
    with pytest.raises(SubjectError) as error:
        _ = subject(saved).model
    text = str(error.value)
    assert error.value.path == "model.adapter"
    assert text.startswith("saved")
    assert "\n" not in text
    assert len(text) < 2_000
    return text


@pytest.mark.parametrize("what", KEYS)
def test_a_key_that_may_not_say_this_is_refused(what: str, saved: Path) -> None:
    changes, words = KEYS[what]
    change(saved, changes)
    assert words in refusal(saved)


@pytest.mark.parametrize("what", TEXTS)
def test_a_text_that_is_no_configuration_is_refused(what: str, saved: Path) -> None:
    text, words = TEXTS[what]
    (saved / CONFIG).write_bytes(text)
    assert words in refusal(saved)


@pytest.mark.parametrize("what", FILES)
def test_files_that_are_no_adapter_are_refused(what: str, saved: Path) -> None:
    make, words = FILES[what]
    make(saved)
    assert words in refusal(saved)


@pytest.mark.parametrize("name", ["n" * 999, "../saved/../gone", "file:///etc/passwd", "/dev/zero", "saved/evil.py"])
def test_a_name_that_is_no_folder_of_an_adapter_is_refused(name: str, saved: Path) -> None:
    plan, catalog = prepare(saved.parent / "spec.yaml", overrides=[f"model.adapter={json.dumps(name)}"])
    sources = {"model_sources": catalog.model_sources, "data_sources": catalog.data_sources}
    with pytest.raises(SubjectError) as error:
        _ = Subject(plan.spec, **sources, weights=True).model
    assert "\n" not in str(error.value)


# What is healthy loads ------------------------------------------------------------------------------


BESIDES = ["README.md", "tokenizer.json", "tokenizer_config.json", "training_args.bin", "checkpoint-7/optimizer.pt"]
SHADOWS = ["torch", "peft", "numpy", "safetensors", "json", "megatron", "bitsandbytes", "hqq", "aqlm", "scipy"]
NOTES: dict[str, dict[str, Any]] = {
    "peft 0.17": {"corda_config": None, "eva_config": None, "loftq_config": {}, "runtime_config": None},
    "peft 0.18": {"alora_invocation_tokens": None, "arrow_config": None, "ensure_weight_tying": False},
    "peft 0.19": {"lora_ga_config": None, "use_bdlora": None, "peft_version": "0.19.1"},
    "peft 0.20": {"velora_config": None, "monteclora_config": None, "megatron_core": "megatron.core"},
    "peft 0.21": {"kasa_config": None, "qalora_group_size": 16, "use_qalora": False},
    "a later peft": {"use_next": False, "next_config": None, "next_layers": [], "next_pattern": {}},
    "where the base came from": {"base_model_name_or_path": "stranger/base", "revision": "main"},
    "how the base was called": {"auto_mapping": {"base_model_class": "Model", "parent_library": "saved.evil"}},
    "how it was begun": {"init_lora_weights": "eva", "eva_config": {"rho": 2.0}},
    "calibration": {"corda_config": {"cache_file": "saved/evil.py", "covariance_file": "/dev/zero"}},
    "alpha with a point": {"lora_alpha": 16.0, "alpha_pattern": {}, "rank_pattern": {"blocks.0.attn.qkv": 4}},
}


@pytest.mark.parametrize("what", NOTES)
def test_what_any_peft_writes_and_loading_does_not_need_is_no_matter(what: str, saved: Path) -> None:
    change(saved, NOTES[what])
    assert_loaded(subject(saved), saved)


def test_what_lies_beside_the_two_files_is_no_matter(saved: Path) -> None:
    for name in BESIDES:
        (saved / name).parent.mkdir(exist_ok=True)
        (saved / name).write_bytes(b"\x80\x04cposix\nsystem\n.")
    assert_loaded(subject(saved), saved)


def test_links_to_sound_files_elsewhere_load_as_in_a_cache_of_downloads(saved: Path, healthy: Path) -> None:
    for name in (CONFIG, WEIGHTS):
        (saved / name).unlink()
        (saved / name).symlink_to(healthy / name)
    assert_loaded(subject(saved), saved)


def assert_loaded(loaded: Subject, saved: Path) -> None:
    from safetensors.torch import load_file

    name = "base_model.model.blocks.1.attn.qkv.lora_B"
    assert dict(loaded.model.named_parameters())[f"{name}.default.weight"].equal(
        load_file(saved / WEIGHTS)[f"{name}.weight"]
    )


ADAPTERS = {
    "LORA": peft.LoraConfig(target_modules="all-linear", use_dora=True, init_lora_weights="gaussian"),
    "ADALORA": peft.AdaLoraConfig(target_modules=["qkv"], total_step=9),
    "LOHA": peft.LoHaConfig(target_modules=["qkv"]),
    "LOKR": peft.LoKrConfig(target_modules=["qkv"], r=10_000),
    "IA3": peft.IA3Config(target_modules=["qkv"], feedforward_modules=[]),
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_the_installed_peft_saves_loads(kind: str, saved: Path) -> None:
    shutil.rmtree(saved)
    peft.get_peft_model(base(), ADAPTERS[kind]).save_pretrained(saved)
    assert json.loads((saved / CONFIG).read_text())["peft_type"] == kind
    assert subject(saved).model.peft_config["default"].peft_type == kind  # type: ignore[union-attr,index]


@pytest.mark.parametrize("kind", KINDS)
def test_the_keys_that_reach_peft_are_its_own(kind: str) -> None:
    known = {field.name for field in fields(type(ADAPTERS[kind]))}
    assert known >= KINDS[kind].reaching_peft
    assert not {"megatron_config", "megatron_core", "auto_mapping", "base_model_name_or_path", "revision"} & (
        KINDS[kind].reaching_peft
    )


# What the user sees ---------------------------------------------------------------------------------


def run(folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-P", "-m", "retspec", "run", "spec.yaml"]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_packages_beside_an_adapter_shadow_none(saved: Path) -> None:
    """The folder of the spec is the adapter's: all that a stranger packed lies beside the spec."""
    for name in SHADOWS:
        (saved / name).mkdir()
        (saved / name / "__init__.py").write_text(EVIL)
    for name in ("sitecustomize.py", "usercustomize.py", "timm.py", "conftest.py", "optimum.py"):
        (saved / name).write_text(EVIL)
    (saved / "spec.yaml").write_text(SPEC.replace("adapter: saved", "adapter: ."))
    ended = run(saved)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_the_user_reads_one_line_and_no_traceback(saved: Path) -> None:
    change(saved, {"megatron_config": {"a": 1}, "megatron_core": "saved.evil"})
    ended = run(saved.parent)
    assert ended.returncode == 3
    assert "saved/adapter_config.json says 'megatron_co" in " ".join(ended.stdout.split())
    assert "Traceback" not in ended.stdout + ended.stderr
