"""What a newcomer reads leads somewhere, and what it shows is valid. `zensical build --strict` adds dead anchors."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from retspec.errors import SpecError
from retspec.plugins.catalog import gather
from retspec.spec.load import load
from retspec.spec.validate import validate
from tests.house.refresh import ROOT, SITE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("unmeasured_programs")

DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
OTHERS = [*ROOT.glob("*.md"), *ROOT.glob("plugins/**/README.md"), *ROOT.glob("benchmarks/*.md")]
CATALOG = gather(entry_points=False)

MODEL = {"timm": "vit_tiny_patch16_224", "lora": {"target_modules": ["qkv"], "modules_to_save": ["head"]}}
NEEDS_FILES = ("config:", "extends:", "plugins:", "${", "vs:", "matrix:")
"""What only a whole project can resolve; the tests of each feature hold those."""


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _prose(path: Path) -> str:
    """Return a page without its code, where brackets mean something else."""
    text = re.sub(r"^```.*?^```$", "", path.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"`[^`\n]+`", "", text)


# Links ---------------------------------------------------------------------------------------------


def _relative_links(path: Path) -> list[str]:
    links = re.findall(r"\]\(([^)\s]+)\)", _prose(path))
    return [link.partition("#")[0] for link in links if "://" not in link and not link.startswith("#")]


@pytest.mark.parametrize("path", [*PAGES, *OTHERS], ids=_name)
def test_a_link_leads_somewhere(path: Path) -> None:
    assert [link for link in _relative_links(path) if not (path.parent / link).exists()] == []


@pytest.mark.parametrize("path", PAGES, ids=_name)
def test_a_page_links_to_what_the_site_has(path: Path) -> None:
    """The strict build looks at links to pages alone; a link to a file of the repository would be dead on the site."""
    targets = [(path.parent / link).resolve() for link in _relative_links(path)]
    assert [target for target in targets if not target.is_relative_to(DOCS)] == []


@pytest.mark.parametrize("path", PAGES, ids=_name)
def test_a_page_has_inline_links_alone(path: Path) -> None:
    """A reference that is not defined is shown as text, and the strict build says nothing of it."""
    assert re.findall(r"\]\[", _prose(path)) == []


def _entries(entry: Any) -> Iterator[str]:
    if isinstance(entry, str):
        yield entry
    elif entry:
        for inner in entry.values() if isinstance(entry, dict) else entry:
            yield from _entries(inner)


def test_the_navigation_has_every_page_once() -> None:
    """The strict build accepts a page that is missing, here or there."""
    site = tomllib.loads((ROOT / SITE).read_text(encoding="utf-8"))
    assert sorted(_entries(site["project"]["nav"])) == sorted(str(page.relative_to(DOCS)) for page in PAGES)


# Specs ---------------------------------------------------------------------------------------------


def _blocks() -> Iterator[Any]:
    """Yield each block of YAML in the prose pages and the README that is a spec, or a part of one."""
    for path in [ROOT / "README.md", *DOCS.glob("*.md")]:
        blocks = re.findall(r"^```yaml\n(.*?)^```$", path.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
        for number, block in enumerate(blocks):
            if re.match(r"(?:# yaml-language-server.*\n)?(?:retspec|model|data|train|checks):", block):
                yield pytest.param(block, id=f"{path.name}-{number}")


@pytest.mark.parametrize("block", list(_blocks()))
def test_a_spec_in_a_page_is_valid(block: str, tmp_path: Path) -> None:
    if any(word in block for word in NEEDS_FILES):
        assert isinstance(yaml.safe_load(block), dict)
        return
    shown = yaml.safe_load(block)
    missing = {"retspec": 1, "model": MODEL, "checks": {"lora_layers": 12}}
    if any(each.name in shown.get("train", {}) for each in CATALOG.launchers):  # it brings its model
        del missing["model"]
    added = [yaml.safe_dump({key: value}) for key, value in missing.items() if key not in shown]
    spec = tmp_path / "spec.yaml"
    spec.write_text("".join([block, *added]))
    assert validate(load(spec), CATALOG).criteria


def test_a_spec_that_is_wrong_would_be_found(tmp_path: Path) -> None:
    spec = tmp_path / "spec.yaml"
    spec.write_text("retspec: 1\nchecks: {los_drop: 1}\n")
    with pytest.raises(SpecError, match="did you mean 'loss_drop'"):
        validate(load(spec), CATALOG)


# Code ----------------------------------------------------------------------------------------------


def test_the_factories_of_their_page_work() -> None:
    import torch
    from PIL import Image

    page = (DOCS / "factories.md").read_text(encoding="utf-8")
    names: dict[str, Any] = {}
    for block in re.findall(r"^```python\n(.*?)^```$", page, re.DOTALL | re.MULTILINE):
        exec(block, names)  # noqa: S102 - a page of this repository
    model = names["build"]("vit_tiny_patch16_224", num_classes=3)
    image = names["evaluation"]()(Image.new("RGB", (300, 240)))
    logits = model(image[None])
    assert logits.shape == (1, 3)
    loss = names["smoothed"](logits=logits, targets=torch.tensor([2]))
    assert (loss.dim(), loss.requires_grad) == (0, True)


# Files of the repository ---------------------------------------------------------------------------


@pytest.mark.parametrize("path", [*DOCS.glob("*.md"), *ROOT.glob("*.md")], ids=_name)
def test_a_file_that_a_page_names_is_there(path: Path) -> None:
    """Paths below `retspec/` follow the layout of the design; what it looks like inside is for the design to say."""
    pattern = r"`((?:tests|specs|plugins|schemas|docs|examples|benchmarks)/[^`\s<>*]+)`"
    named = re.findall(pattern, path.read_text(encoding="utf-8"))
    assert [name for name in named if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("form", sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml")), ids=_name)
def test_an_issue_form_is_valid(form: Path) -> None:
    schema = "vendor.github-issue-config" if form.stem == "config" else "vendor.github-issue-forms"
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, form]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stdout
