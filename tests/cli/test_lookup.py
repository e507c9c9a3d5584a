"""`validate` and `init` look up what a spec names, without importing it, and report only what is certainly absent."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

from retspec.cli import lookup
from retspec.cli.lookup import model_fault

if TYPE_CHECKING:
    from pathlib import Path

SPEC = "retspec: 1\nmodel: {{{model}}}\nchecks: {{loss_drop: 0.5}}\n"
MINE = """\
import torch_that_is_not_there
from os import path as road

class Net:
    @classmethod
    def build(cls): ...

if True:
    def conditional(): ...
"""


@pytest.fixture(autouse=True)
def _in_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def validated(retspec: Any, tmp_path: Path) -> Any:
    """Validate a spec with this model section, beside a package and a module; return (exit code, errors)."""
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").write_text("raise SystemExit('it was imported')\n")
    (tmp_path / "package" / "mine.py").write_text(MINE)
    (tmp_path / "package" / "dynamic.py").write_text("def __getattr__(name): ...\n")
    (tmp_path / "package" / "star.py").write_text("from package.mine import *\n")

    def validate(model: str) -> tuple[int, str]:
        (tmp_path / "spec.yaml").write_text(SPEC.format(model=model))
        finished = retspec("validate", "spec.yaml")
        return finished.code, finished.err.strip()

    return validate


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("timm: vit_tinny_patch16_224", "model.timm: timm has no model 'vit_tinny_patch16_224'; did you mean 'vit_t"),
        ("torchvision: resnet51", "model.torchvision: torchvision has no model 'resnet51'; did you mean 'resnet50'?"),
        ('factory: "packages.mine:Net"', "model.factory: there is no module 'packages.mine'; it must be installed"),
        ('factory: "package.mein:Net"', "model.factory: there is no module 'package.mein'"),
        ('factory: "package.mine:Nett"', "model.factory: package.mine has no callable 'Nett'; did you mean 'Net'?"),
    ],
)
def test_what_is_absent_is_named(validated: Any, model: str, message: str) -> None:
    code, problems = validated(model)
    assert code == 2
    assert problems.startswith("spec.yaml:2:")
    assert message in problems


@pytest.mark.parametrize(
    "model",
    [
        "timm: vit_tiny_patch16_224",
        "timm: vit_tiny_patch16_224.augreg_in21k",
        "timm: vit_tiny_patch16_224_in21k",  # deprecated, and taken
        "timm: 'hf-hub:timm/any'",
        "torchvision: resnet50",
        'factory: "package.mine:Net"',
        'factory: "package.mine:Net.build"',
        'factory: "package.mine:conditional"',
        'factory: "package.mine:road"',
        'factory: "package.dynamic:anything"',
        'factory: "package.star:anything"',
        'factory: "transformers:AutoModelForImageClassification.from_pretrained"',
        'factory: "math:sqrt"',
    ],
)
def test_what_may_be_there_passes_and_nothing_is_imported(validated: Any, model: str) -> None:
    assert validated(model) == (0, "")
    assert not [name for name in sys.modules if name.partition(".")[0] == "package"]


def test_without_torch_nothing_is_looked_up(validated: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    real = lookup._installed
    monkeypatch.setattr(lookup, "_installed", lambda top: None if top == "torch" else real(top))
    assert validated('factory: "elsewhere:build"') == (0, "")


def test_a_plugin_may_register_models(validated: Any, tmp_path: Path) -> None:
    hook = "from retspec.plugin import hookimpl\n@hookimpl\ndef retspec_checks(): return []\n"
    (tmp_path / "more.py").write_text(hook)
    assert validated("timm: my_own}\nplugins: [more.py]\nrun: {seed: 1") == (0, "")


def test_a_package_that_is_not_installed_has_no_fault() -> None:
    assert model_fault("no_such_package", "anything") == ""


def test_a_draft_names_no_model_that_timm_does_not_have(retspec: Any, tmp_path: Path) -> None:
    (tmp_path / "train.yaml").write_text("model: {name: retfound_lora}\nnum_classes: 5\n")
    assert retspec("init", "--config", "train.yaml", "spec.yaml").code == 0
    lines = (tmp_path / "spec.yaml").read_text().splitlines()
    assert "# timm has no model 'retfound_lora': name the callable that builds yours." in lines
    assert '  factory: "my_project.models:build"' in lines
    assert not [line for line in lines if line.strip().startswith("timm:")]
    finished = retspec("validate", "spec.yaml")
    assert finished.code == 2
    assert "there is no module 'my_project.models'" in finished.err
