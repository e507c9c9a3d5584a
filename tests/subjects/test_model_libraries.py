"""A second library of models is one plugin file, and the core names none."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import timm
import torch
from torch import nn

from retspec.engine.supervisor import libraries_for
from retspec.plugin import ModelLibrary, model_source
from retspec.plugins.catalog import gather, versions
from retspec.records import Verdict
from retspec.subjects.models.libraries import know
from retspec.subjects.models.structure import head_parameters, input_size, preprocessing
from tests.here import run_here
from tests.photos import write_photos
from tests.subjects import hub_models

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from retspec.records import Result

    Results = Callable[..., Mapping[str, Result]]

ROOT = Path(__file__).parents[2]
PLUGIN = "tests.subjects.hub_models"

SPEC = """
retspec: 1
plugins: [{plugin}]
model: {{{model}{more}}}
data: {{imagefolder: {{root: {folder}/healthy}}, batch_size: 6, transform: {transform}}}
train: {{steps: 6, lr: 1e-2, grad_checkpointing: {switched}}}
run: {{device: cpu}}
checks: {checks}
"""
CHECKS = """{output_shape: [6, 3], max_trainable_params: 1e5, head_trainable: true, loss_drop: 0.01,
  normalization_atol: 0.01, input_size: [3, 48, 48]}"""
WRITTEN = "{input_size: [3, 48, 48], mean: [0.4, 0.4, 0.4], std: [0.3, 0.3, 0.3]}"
LORA = ", lora: {r: 2, target_modules: [dense], modules_to_save: [classifier]}"

MAY_NAME_TIMM = {
    "retspec/subjects/models/sources/timm_model.py": "its own source",
    "retspec/subjects/data/transforms.py": "builds what a spec writes in the words of timm's data configuration",
    "retspec/records/sections.py": "the words of the spec: `transform: timm`",
    "retspec/cli/doctor.py": "the packages that retspec depends on",
    "retspec/cli/lookup.py": "looks its names up without importing it",
    "retspec/cli/drafting/spec.py": "drafts a spec for the source that is built in",
    "retspec/cli/drafting/recognition.py": "the keys by which a config names a model",
    "retspec/cli/drafting/foundation.py": "drafts a spec for it where the plugin of a foundation model is missing",
    "retspec/subjects/models/rollout.py": "reads the attention of its Vision Transformers",
    "retspec/faults/architecture.py": "the words of the spec: `model: {timm: ...}`",
    "retspec/faults/loops.py": "stops its averages of weights, too",
    "retspec/checks/loop/still_averages.py": "says whose averages of weights are known",
    "retspec/subjects/checkpoints/matching.py": "of several weights in a file, takes those that timm takes",
    "retspec/cli/drafting/data.py": "drafts a spec for the source that is built in",
    "retspec/cli/drafting/new_check.py": "writes a spec for the source that is built in",
    "retspec/subjects/predictions/making.py": "says which versions made a file of predictions",
    "retspec/cli/diagnostics/remedies.py": "the advice of the doctor",
}


@pytest.fixture(autouse=True)
def _known_again() -> Iterator[None]:
    yield
    know([])


@pytest.fixture
def results(tmp_path: Path) -> Results:
    """Run the spec with a checkpoint whose keys have other names than the model's."""
    write_photos(tmp_path)
    torch.manual_seed(1)
    weights = hub_models.ForImageClassification(labels=3).state_dict()
    torch.save(
        {key.replace("encoder.projection", "backbone.patches"): each for key, each in weights.items()},
        tmp_path / "hub.pth",
    )

    def run(model: str = "hub: 3", **options: str) -> Mapping[str, Result]:
        values = {"transform": WRITTEN, "switched": "false", "more": "", "checks": CHECKS, **options}
        (tmp_path / "spec.yaml").write_text(SPEC.format(plugin=PLUGIN, model=model, folder=tmp_path, **values))
        return run_here(tmp_path / "spec.yaml")

    return run


@pytest.mark.parametrize("more", ["", LORA], ids=["bare", "lora"])
@pytest.mark.parametrize("model", ["hub: 3", f'factory: "{PLUGIN}:from_a_factory"'], ids=["source", "factory"])
def test_one_plugin_file_answers_for_all_of_it(results: Results, model: str, more: str) -> None:
    found = results(model, more=more)
    assert {name: result.verdict for name, result in found.items()} == dict.fromkeys(found, Verdict.MET), found
    assert "normalization_atol" in found


def test_its_checks_can_go_the_other_way(results: Results) -> None:
    wrong = WRITTEN.replace("48, 48", "40, 40").replace("mean: [0.4", "mean: [0.6")
    found = results(transform=wrong, more=LORA.replace(", modules_to_save: [classifier]", ""))
    missed = {name for name, result in found.items() if result.verdict is Verdict.MISSED}
    assert missed == {"normalization_atol", "input_size", "head_trainable"}


@pytest.mark.parametrize("more", ["", LORA], ids=["bare", "lora"])
def test_it_converts_the_keys_of_a_checkpoint(results: Results, more: str) -> None:
    found = results(more=f", checkpoint: hub.pth{more}", checks="{checkpoint_coverage: 1, max_unexpected_keys: 0}")
    assert {name: result.verdict for name, result in found.items()} == dict.fromkeys(found, Verdict.MET), found


def test_its_models_say_how_images_become_tensors(results: Results) -> None:
    found = results(transform="timm")
    assert found["output_shape"].verdict is Verdict.MET
    assert found["normalization_atol"].verdict is Verdict.INCONCLUSIVE  # it is the model's own transform


def test_it_switches_gradient_checkpointing(results: Results) -> None:
    hub_models.SWITCHED.clear()
    assert results(switched="true")["loss_drop"].verdict is Verdict.MET
    assert hub_models.SWITCHED


def test_it_says_why_an_architecture_has_no_gradient_checkpointing(results: Results) -> None:
    result = results("hub: 3, can_checkpoint: false", switched="true")["loss_drop"]
    assert result.verdict is Verdict.ERROR
    assert "does not support gradient checkpointing" in result.reason


def test_models_are_known_however_deep_they_sit_and_beside_those_of_timm() -> None:
    know(gather([PLUGIN], entry_points=False).model_sources.values())
    hub = hub_models.ForImageClassification(labels=3)
    vit = timm.create_model("test_vit")
    wrapped = nn.Sequential(nn.Sequential(hub))
    assert input_size(wrapped) == (3, 48, 48)
    assert input_size(nn.Sequential(vit)) == (3, 160, 160)
    assert head_parameters(wrapped) == {id(parameter) for parameter in hub.classifier.parameters()}
    assert head_parameters(vit) == {id(parameter) for parameter in vit.head.parameters()}
    assert preprocessing(vit)["mean"] == vit.pretrained_cfg["mean"]
    assert preprocessing(nn.Linear(1, 1)) == {}


def test_a_worker_imports_what_the_source_of_the_spec_names() -> None:
    sources = gather([PLUGIN], entry_points=False).model_sources
    assert libraries_for({"hub", "lora"}, sources) == ("torch", "colorsys", "peft")
    assert libraries_for({"timm", "kwargs"}, sources) == ("torch", "timm")
    assert libraries_for({"factory"}, sources) == ("torch",)


def test_the_provenance_has_the_versions_that_a_source_names() -> None:
    catalog = gather([PLUGIN], entry_points=False)
    assert catalog.distributions == (
        "torch",
        "msgspec",
        "timm",
        "torchvision",
        "transformers",
        "peft",
        "pillow",
        "numpy",
    )
    assert {"retspec", "msgspec", "timm"} <= set(versions(catalog.distributions))


def test_a_source_without_a_library_knows_nothing() -> None:
    @model_source
    def plain(name: str) -> nn.Module:
        """Build nothing."""
        raise NotImplementedError(name)

    assert plain.library == ModelLibrary()
    assert plain.library.input_size(nn.Linear(1, 1)) is None


def test_the_code_of_the_core_names_timm_where_it_may_alone() -> None:
    naming = {str(path.relative_to(ROOT)) for path in (ROOT / "retspec").rglob("*.py") if _names_timm(path)}
    assert naming == set(MAY_NAME_TIMM)


def _names_timm(path: Path) -> bool:
    """Whether the code of a file names timm: in an import, a name or a text, but in no docstring, comment or advice."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return any(_says_timm(node) for node in ast.walk(_without_prose(tree)))


def _says_timm(node: ast.AST) -> bool:
    match node:
        case ast.Import(names):
            said = [alias.name for alias in names]
        case ast.ImportFrom(module, names):
            said = [module or "", *(alias.name for alias in names)]
        case ast.Name(name) | ast.Attribute(_, name) | ast.FunctionDef(name) | ast.arg(name):
            said = [name]
        case ast.Constant(str(text)):
            said = [text]
        case _:
            return False
    return any("timm" in text.lower() for text in said)


def _without_prose(tree: ast.Module) -> ast.Module:
    """Return a tree without texts that stand alone, and without what is given as `advice=` or `description=`."""
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            body[:] = [each for each in body if not _is_text(each)] or [ast.Pass()]
        if isinstance(node, ast.Call):
            node.keywords[:] = [each for each in node.keywords if each.arg not in {"advice", "description"}]
    return tree


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
