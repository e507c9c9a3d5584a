"""Every check is documented under the fixed headings, and its example is a line that a spec may hold."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from retspec.plugins.catalog import Catalog, gather
from retspec.spec.load import load
from retspec.spec.validate import validate
from tests.plugins.conftest import EXAMPLE, RETFOUND

if TYPE_CHECKING:
    from pathlib import Path

    from retspec.plugin import Check

HEADINGS = ("Why it matters:", "Example:", "What the number means:")
SPEC = """\
retspec: 1
config: train.yaml
model:
  timm: vit_tiny_patch16_224
  kwargs: {num_classes: 5}
  lora: {r: 8, target_modules: [qkv], modules_to_save: [head]}
data: {imagefolder: {root: photos}}
checks:
"""
LOADERS = """\
retspec: 1
data: {loaders: {train: "my_project.data:train", val: "my_project.data:val"}}
checks:
"""
FOLLOWED = """\
retspec: 1
config: train.yaml
train: {script: train.py}
checks:
"""
WATCHED = """\
retspec: 1
train: {script: train.py}
checks:
"""
RANKED = """\
retspec: 1
train: {script: train.py, ranks: 2}
checks:
"""
PREDICTED = """\
retspec: 1
predictions: {csv: test.csv, id: image, label: grade, scores: [p0, p1, p2, p3, p4], subgroups: [sex], split: test}
checks:
"""
SPECS = {
    "predictions": PREDICTED,
    "loop": WATCHED,
    "distributed": RANKED,
    "loaders": LOADERS,
    "unread_config_keys": FOLLOWED,
}


def catalog_of_the_repository() -> Catalog:
    """The built-in checks, and those of its packages: whoever copies them copies good habits."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(EXAMPLE / "src")
        patch.syspath_prepend(RETFOUND / "src")
        return gather(["retspec_features", "retspec_retfound"], entry_points=False)


CATALOG = catalog_of_the_repository()
each_check = pytest.mark.parametrize("check", CATALOG.checks.values(), ids=CATALOG.checks)


def section(check: Check, heading: str) -> str:
    """Return the indented text under a heading, up to the next one."""
    match = re.search(rf"^{re.escape(heading)}\n(?P<text>(?:(?:    .*)?\n)+)", f"{check.doc}\n", re.MULTILINE)
    return match["text"].strip() if match else ""


@each_check
def test_a_check_asks_one_question_of_one_line(check: Check) -> None:
    assert check.question.endswith("?")
    assert check.question[0].isupper()
    assert check.doc.splitlines()[1] == ""


@each_check
def test_the_headings_stand_there_once_in_their_order(check: Check) -> None:
    found = [line for line in check.doc.splitlines() if re.match(r"\S.*:$", line)]
    assert found == [*HEADINGS]


@each_check
@pytest.mark.parametrize("heading", ["Why it matters:", "What the number means:"])
def test_what_stands_under_a_heading_are_whole_sentences(check: Check, heading: str) -> None:
    text = section(check, heading)
    assert text.endswith(".")
    assert len(text.split()) > 5


@each_check
def test_the_advice_is_a_whole_sentence(check: Check) -> None:
    assert check.advice[0].isupper()
    assert check.advice.endswith(".")
    assert not check.advice.endswith("..")


@each_check
def test_the_example_is_a_valid_line_of_a_spec(check: Check, tmp_path: Path) -> None:
    example = section(check, "Example:")
    (tmp_path / "train.yaml").write_text("training: {lr: 1e-4}\n")
    spec = tmp_path / "example.yaml"
    spec.write_text(
        SPECS.get(check.name, SPECS.get(check.family, SPEC)) + "".join(f"  {line}\n" for line in example.splitlines())
    )
    (criterion,) = validate(load(spec), CATALOG).criteria
    assert criterion.check == check.name
    assert criterion.skip is None
