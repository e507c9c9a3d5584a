"""`show`: what is printed is a spec again, and says where each part of it comes from."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retspec.cli.origins import with_origins
from retspec.spec.document import Document
from retspec.spec.load import load, load_cells

ROOT = Path(__file__).resolve().parents[2]
BASE = """\
retspec: 1
model: {timm: x, kwargs: {token: "${env.RETSPEC_TEST_TOKEN:-none}"}}
checks:
  loss_drop: {limit: 0.5, tags: [slow]}
  merge_atol: 1e-5
"""
SPEC = """\
retspec: 1
extends: base.yaml
checks:
  loss_drop: {warn: 0.9}
"""


@pytest.fixture
def extending(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    Path("base.yaml").write_text(BASE)
    Path("spec.yaml").write_text(SPEC)
    return "spec.yaml"


def test_every_section_and_criterion_carries_its_place(retspec: Any, extending: str) -> None:
    finished = retspec("show", extending, "--set", "train.steps=3", "--set", "model.kwargs.token=y")
    assert (finished.code, finished.err) == (0, "")
    assert finished.out.splitlines()[1:] == [
        "retspec: 1  # spec.yaml:1",
        "model:  # base.yaml:2",
        "  timm: x",
        "  kwargs:",
        "    token: y  # --set model.kwargs.token=y",
        "checks:  # spec.yaml:3",
        "  loss_drop:  # spec.yaml:4",
        "    limit: 0.5  # base.yaml:4",
        "    tags: [slow]  # base.yaml:4",
        "    warn: 0.9",
        "  merge_atol: 1.0e-05  # base.yaml:5",
        "train:  # --set train.steps=3",
        "  steps: 3",
    ]


def test_json_has_the_place_of_every_value(retspec: Any, extending: str) -> None:
    shown = json.loads(retspec("show", extending, "--json").out)[0]
    document = load(extending)
    assert (shown["file"], shown["spec"], shown["sha256"]) == (extending, document.data, document.sha256)
    assert shown["origins"]["checks.loss_drop"] == "spec.yaml:4:3"
    assert shown["origins"]["checks.loss_drop.tags.0"] == "base.yaml:4:34"


@pytest.mark.parametrize("arguments", [[], ["--json"]])
def test_a_secret_is_shown_neither_as_a_value_nor_as_a_place(
    retspec: Any, extending: str, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    monkeypatch.setenv("RETSPEC_TEST_TOKEN", "s3cr3t-word")
    out = retspec("show", extending, *arguments, "--set", "checks.loss_drop.description=s3cr3t-word").out
    assert "s3cr3t" not in out
    assert "***" in out


def test_a_spec_that_cannot_be_resolved_is_not_shown(retspec: Any, extending: str) -> None:
    Path(extending).write_text(f"{SPEC}name: ${{vars.gone}}\n")
    finished = retspec("show", extending)
    assert (finished.code, finished.out) == (2, "")
    assert finished.err.startswith("spec.yaml:5:7: unknown variable 'vars.gone'")


@pytest.mark.parametrize("path", [*(ROOT / "specs").glob("*.yaml")], ids=lambda path: path.stem)
def test_a_shipped_spec_is_shown_as_a_spec_that_means_the_same(retspec: Any, path: Path) -> None:
    assert "checks:" in retspec("show", path).out
    for document in load_cells(path):
        _require_same_when_read_again(document)


LETTERS = st.characters(codec="utf-8", exclude_characters="\0")
TEXTS = st.text(LETTERS, max_size=6) | st.sampled_from(
    [
        "1e-5",
        "on",
        "null",
        "~",
        "1_000",
        ".nan",
        "${vars.x}",
        "$${",
        "a: b",
        "- a",
        "# a",
        "<<",
        "=",
        "a\nb",
        "\u2028",
        "x" * 90,
    ]
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60)
@given(values=st.dictionaries(TEXTS, VALUES, max_size=3))
def test_whatever_a_spec_holds_is_read_back_as_it_was(values: dict[str, Any]) -> None:
    data = {"retspec": 1, "model": {"kwargs": values}}
    _require_same_when_read_again(
        Document(file="a.yaml", path=Path("a.yaml"), data=data, marks={}, key_marks={}, sha256="")
    )


@pytest.mark.parametrize("width", [80, 60, 40])
def test_an_origin_is_above_a_line_that_is_too_wide_for_it(
    retspec: Any, extending: str, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    spec = Path(extending)
    spec.write_text(spec.read_text() + "description: A sentence that is not so short that it has room on a screen.\n")
    monkeypatch.setenv("COLUMNS", str(width))
    lines = retspec("show", extending, "--set", "model.kwargs.token=y").out.splitlines()[1:]
    assert max(map(len, lines)) <= width
    assert "retspec: 1  # spec.yaml:1" in lines
    origin, token = "# --set model.kwargs.token=y", "    token: y"
    assert (f"{token}  {origin}" in lines) == (width > 40)
    assert width > 40 or lines[lines.index(token) - 1] == f"    {origin}"


def _require_same_when_read_again(document: Document) -> None:
    for width in (None, 60, 20):
        _require_same_when_shown(document, width)


def _require_same_when_shown(document: Document, width: int | None) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "specs" / "shown.yaml"
        path.parent.mkdir()
        (Path(folder) / "examples").symlink_to(ROOT / "examples")  # where the path of a config may lead
        path.write_text(with_origins(document, width), encoding="utf-8", newline="")
        again = load(path)
    assert again.problems == ()
    assert repr(again.data) == repr(document.data)
