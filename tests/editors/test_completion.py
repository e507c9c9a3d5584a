"""What editors offer and mark in a spec, asked of the language server that they run."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from retspec.plugins.catalog import gather
from retspec.records import OPTIMIZERS
from tests.editors.server import YamlServer
from tests.house.refresh import ROOT, SPEC_SCHEMA
from tests.npm import installed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CATALOG = gather(entry_points=False)
SHIPPED = "../schemas/spec.schema.json"
SPECS = sorted(path for path in (ROOT / "specs").glob("*.yaml") if SHIPPED in path.read_text())
HEAD = "# yaml-language-server: $schema=spec.schema.json\nretspec: 1\n"


@pytest.fixture(scope="module")
def server() -> Iterator[YamlServer]:
    with YamlServer(installed("yaml-language-server", "2.0.0")) as running:
        yield running


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    """The path of a spec beside its schema."""
    shutil.copy(ROOT / SPEC_SCHEMA, tmp_path)
    return tmp_path / "spec.yaml"


@pytest.mark.parametrize(
    ("text", "offered"),
    [
        ("train:\n  optimizer: |\n", {*OPTIMIZERS}),
        ("train:\n  amp: |\n", {"none", "bfloat16", "float16"}),
        ("run:\n  dtype: |\n", {"float32", "float64", "bfloat16", "float16"}),
        ("checks:\n  loss_drop:\n    severity: |\n", {"error", "warn"}),
        ("checks:\n  short:\n    check: |\n", {*CATALOG.checks}),
        ("checks:\n  head_trainable: |\n", {"true", "false"}),
        ("checks:\n  head_trainable:\n    limit: |\n", {"true", "false"}),
        ("checks:\n  own:\n    check: head_trainable\n    limit: |\n", {"true", "false"}),
        ("checks:\n  |\n", {*CATALOG.checks}),
        ("checks:\n  loss_drop:\n    with:\n      |\n", {"steps", "lr"}),
        ("checks:\n  own:\n    check: loss_drop\n    with:\n      |\n", {"steps", "lr"}),
        ("checks:\n  loss_drop:\n    |\n", {"check", "limit", "warn", "severity", "with", "tags", "timeout", "skip"}),
        ("model:\n  |\n", {"timm", "factory", "lora", "checkpoint", "adapter"}),
        ("train:\n  |\n", {"steps", "optimizer", "lr", "amp", "accumulation", "stop_at_drop"}),
        ("run:\n  |\n", {"seed", "device", "dtype", "timeout", "memory", "threads"}),
        ("|\n", {"model", "data", "train", "run", "checks", "extends", "matrix", "vars", "config", "plugins"}),
        ("extends: base.yaml\ntrain:\n  optimizer: |\n", {*OPTIMIZERS}),
        ("extends: base.yaml\nchecks:\n  head_trainable: |\n", {"true", "false"}),
    ],
)
def test_an_editor_offers_every_value(server: YamlServer, spec: Path, text: str, offered: set[str]) -> None:
    assert offered <= server.completions(spec, HEAD + text)


@pytest.mark.parametrize("key", ["limit", "timeout", "with"])
def test_an_editor_offers_null_only_where_it_removes_something(server: YamlServer, spec: Path, key: str) -> None:
    text = f"checks:\n  loss_drop:\n    {key}: |\n"
    assert "null" not in server.completions(spec, HEAD + text)
    assert "null" in server.completions(spec, f"{HEAD}extends: base.yaml\n{text}")


def test_an_editor_shows_the_question_and_the_advice_over_a_check(server: YamlServer, spec: Path) -> None:
    shown = server.hover(spec, HEAD + "checks:\n  loss_d|rop: 0.5\n")
    assert CATALOG.checks["loss_drop"].question in shown
    assert "Raise" in shown


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_an_editor_marks_nothing_in_a_shipped_spec(server: YamlServer, spec: Path, path: Path) -> None:
    assert server.diagnostics(spec, path.read_text().replace(SHIPPED, "spec.schema.json")) == []


@pytest.mark.parametrize(
    "text",
    [
        'checks: {loss_drop: "${vars.drop}"}\ntrain: {optimizer: "${vars.name}", lr: "${vars.lr}"}\n',
        "checks: {max_trainable_params: 1_000_000}\n",
        "checks: {merge_atol: {limit: {float32: 1e-5, bfloat16: 1e-2}}}\n",
        "extends: base.yaml\nchecks: {loss_drop: null, merge_atol: {severity: warn}}\n",
    ],
)
def test_an_editor_marks_nothing_that_is_right(server: YamlServer, spec: Path, text: str) -> None:
    assert server.diagnostics(spec, HEAD + text) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("checks: {loss_drop: much}\n", "Expected number, or a reference: ${vars.NAME}."),
        ("checks: {head_trainable: maybe}\n", "Expected boolean, or a reference: ${vars.NAME}."),
        ("checks: {loss_drop: 0.5}\ntrain: {optimizer: adamv}\n", '"sgd".'),
        ("checks: {loss_drop: {limit: 0.5, severity: loud}}\n", 'Valid values: "error", "warn".'),
        ("checks: {loss_drop: {limit: 0.5, limt: 0.4}}\n", '"limit"'),
        ("checks: {loss_drop: 0.5}\ntrain: {stepz: 20}\n", "Property stepz is not allowed."),
        ("checks: {los_drop: 0.5}\n", "Incorrect type."),
        ("checks: {loss_drop: {check: merge_atol, limit: 0.5}}\n", '"loss_drop"'),
        ("checks: {own: {check: loss_drop, limit: 0.5, with: {stepz: 3}}}\n", "Property stepz is not allowed."),
        ("extends: base.yaml\nchecks: {loss_drop: much}\n", "Expected number or null, or a reference"),
    ],
)
def test_an_editor_marks_what_is_wrong(server: YamlServer, spec: Path, text: str, said: str) -> None:
    (marked,) = server.diagnostics(spec, HEAD + text)
    assert said in marked
