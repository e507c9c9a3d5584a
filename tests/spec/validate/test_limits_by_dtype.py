"""A limit may be given for each dtype; that of the run is the one that is judged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from retspec.errors import SpecError
from retspec.spec.load import load
from retspec.spec.validate import validate

if TYPE_CHECKING:
    from pathlib import Path

    from retspec.plugins.catalog import Catalog
    from retspec.records import Criterion

BOUND = "{float32: 1e-5, bfloat16: 1e-2}"


def criterion(folder: Path, catalog: Catalog, form: str, run: str = "{}") -> Criterion:
    file = folder / "spec.yaml"
    file.write_text(f"retspec: 1\nmodel: {{timm: vit_tiny_patch16_224}}\nrun: {run}\nchecks:\n  merge_atol: {form}\n")
    return validate(load(file), catalog).criteria[0]


def refusal(folder: Path, catalog: Catalog, form: str, run: str = "{}") -> str:
    with pytest.raises(SpecError) as error:
        criterion(folder, catalog, form, run)
    return str(error.value).removeprefix(f"{folder}/")


@pytest.mark.parametrize(("run", "limit"), [("{}", 1e-5), ("{dtype: float32}", 1e-5), ("{dtype: bfloat16}", 1e-2)])
def test_the_limit_is_that_of_the_dtype_of_the_run(run: str, limit: float, tmp_path: Path, catalog: Catalog) -> None:
    assert criterion(tmp_path, catalog, f"{{limit: {BOUND}}}", run).limit == limit


def test_the_bound_that_warns_may_differ_too(tmp_path: Path, catalog: Catalog) -> None:
    warned = criterion(tmp_path, catalog, f"{{limit: {BOUND}, warn: {{bfloat16: 1e-3}}}}", "{dtype: bfloat16}")
    assert (warned.limit, warned.warn) == (1e-2, 1e-3)


def test_a_dtype_without_a_limit_is_told_with_those_that_have_one(tmp_path: Path, catalog: Catalog) -> None:
    assert refusal(tmp_path, catalog, f"{{limit: {BOUND}}}", "{dtype: float16}") == (
        "spec.yaml:5:15: checks.merge_atol: no limit for float16, which is the `run.dtype` of this spec; "
        "there are float32, bfloat16"
    )


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ("{limit: {float23: 1e-5}}", "'float23' cannot be a key"),
        ("{limit: {}}", "is empty"),
        ("{limit: {float32: small}}", "checks.merge_atol.limit.float32: expected a number"),
        ("{limit: {float32: {float32: 1}}}", "found a mapping"),
    ],
)
def test_what_is_no_limit_is_refused(form: str, words: str, tmp_path: Path, catalog: Catalog) -> None:
    assert words in refusal(tmp_path, catalog, form)


def test_a_stricter_warning_is_asked_for_of_the_dtype_that_counts(tmp_path: Path, catalog: Catalog) -> None:
    assert "is stricter" in refusal(tmp_path, catalog, f"{{limit: {BOUND}, warn: 1e-3}}")
    assert criterion(tmp_path, catalog, f"{{limit: {BOUND}, warn: 1e-3}}", "{dtype: bfloat16}").warn == 1e-3
