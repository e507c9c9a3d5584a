"""A criterion written in the short form here and in the long form there is one criterion: nothing of either is lost."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from retspec.cli import main
from retspec.errors import SpecError
from retspec.spec.load import load, load_cells
from retspec.spec.validate import validate

if TYPE_CHECKING:
    from retspec.plugins.catalog import Catalog
    from retspec.records import Criterion

MODEL = "model: {timm: vit_tiny_patch16_224}"
LONG = "loss_drop: {limit: 0.5, with: {steps: 7}, tags: [slow], severity: warn}"
OTHER = "max_trainable_params: 5"
NAMES = "trainable_names: [head.*]"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def written(*layers: str) -> Path:
    """Write specs with one criterion each, of which each extends the one before it, and return the last."""
    for index, layer in enumerate(layers):
        over = f"extends: {index - 1}.yaml" if index else MODEL
        Path(f"{index}.yaml").write_text(f"retspec: 1\n{over}\nchecks:\n  {layer}\n")
    return Path(f"{len(layers) - 1}.yaml")


def said(criterion: Criterion) -> tuple[object, ...]:
    return criterion.limit, dict(criterion.arguments), criterion.tags, criterion.severity


@pytest.mark.parametrize(
    ("layers", "one"),
    [
        ((LONG, "loss_drop: 0.6"), LONG.replace("0.5", "0.6")),
        ((OTHER, "max_trainable_params: {tags: [x]}"), "max_trainable_params: {limit: 5, tags: [x]}"),
        ((OTHER, "max_trainable_params: {limit: 6, tags: [x]}"), "max_trainable_params: {limit: 6, tags: [x]}"),
        ((LONG, "loss_drop: 0.6", "loss_drop: {limit: 0.7}"), LONG.replace("0.5", "0.7")),
        ((LONG, "loss_drop: {limit: 0.7}", "loss_drop: 0.6"), LONG.replace("0.5", "0.6")),
        ((LONG, "loss_drop: 0.6", "loss_drop: {severity: null}"), LONG.replace("0.5", "0.6").replace("warn", "error")),
        ((NAMES, "trainable_names: {tags: [x]}"), "trainable_names: {with: {patterns: [head.*]}, tags: [x]}"),
        (
            ("trainable_names: {limit: 3, with: {patterns: [qkv]}}", NAMES),
            "trainable_names: {limit: 3, with: {patterns: [head.*]}}",
        ),
        (
            ("early: {check: loss_drop, limit: 0.5, with: {steps: 7}}", "early: 0.6"),
            "early: {check: loss_drop, limit: 0.6, with: {steps: 7}}",
        ),
    ],
)
def test_both_forms_together_mean_what_one_long_form_does(layers: tuple[str, ...], one: str, catalog: Catalog) -> None:
    (together,) = validate(load(written(*layers)), catalog).criteria
    (alone,) = validate(load(written(one)), catalog).criteria
    assert said(together) == said(alone)


@pytest.mark.parametrize("override", ["checks.loss_drop=0.6", "checks.loss_drop.limit=0.6"])
@pytest.mark.parametrize("form", [LONG, "loss_drop: 0.5"])
def test_an_override_is_laid_over_either_form(override: str, form: str, catalog: Catalog) -> None:
    (criterion,) = validate(load(written(form), [override]), catalog).criteria
    (alone,) = validate(load(written(form.replace("0.5", "0.6"))), catalog).criteria
    assert said(criterion) == said(alone)


def test_a_matrix_is_laid_over_either_form(catalog: Catalog) -> None:
    file = written(LONG)
    file.write_text(f"{file.read_text()}matrix:\n  checks.loss_drop: [0.6, 0.7]\n")
    cells = [validate(document, catalog).criteria[0] for document in load_cells(file)]
    assert [(cell.limit, cell.tags) for cell in cells] == [(0.6, ("slow",)), (0.7, ("slow",))]


@pytest.mark.parametrize(
    ("layers", "place", "problem"),
    [
        ((LONG, "loss_drop: much"), "1.yaml:4:14", "expected a number"),
        (("loss_drop: much", "loss_drop: {tags: [x]}"), "0.yaml:4:14", "expected a number"),
        (
            (OTHER, "max_trainable_params: {tag: [x]}"),
            "1.yaml:4:26",
            "unknown key 'tag' in checks.max",
        ),
        ((OTHER, "max_trainable_params: {tags: null}"), "1.yaml:4:26", "null removes a key"),
        (("los_drop: 3", "los_drop: {tags: [x]}"), "1.yaml:4:3", "did you mean 'loss_drop'"),
    ],
)
def test_a_fault_of_either_has_its_own_place(
    layers: tuple[str, ...], place: str, problem: str, catalog: Catalog
) -> None:
    with pytest.raises(SpecError) as error:
        validate(load(written(*layers)), catalog)
    assert str(error.value).startswith(f"{place}: ")
    assert problem in str(error.value)


def test_show_prints_one_form_with_the_file_of_each_part(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", str(written(LONG, "loss_drop: 0.6"))]) == 0
    shown = capsys.readouterr().out
    assert "    limit: 0.6\n    with:  # 0.yaml:4\n      steps: 7\n    tags: [slow]  # 0.yaml:4\n" in shown
