"""What the documentation shows works as it stands there."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING

import pytest

from retspec import toolkit
from retspec.plugins.catalog import gather
from retspec.prepare import prepare, prepare_cells
from tests.plugins.conftest import EXAMPLE, RETFOUND, ROOT, SLURM
from tests.plugins.test_interface import beside_the_pages

if TYPE_CHECKING:
    from pathlib import Path

    from tests.plugins.samples import Write

GUIDE = ROOT / "docs" / "plugins.md"
RECIPE = ROOT / "docs" / "recipe.md"
FUNCTIONS = "# my_project.py"
"""How the block begins that is no plugin; `tests/subjects/test_own_pieces.py` runs it."""
WRITTEN_LINES = 10


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(), re.DOTALL | re.MULTILINE)


def test_the_guide_writes_a_check_in_ten_lines() -> None:
    source, *_ = blocks(GUIDE, "python")
    assert len([line for line in source.splitlines() if line]) == WRITTEN_LINES


def test_the_check_of_the_guide_works_in_the_spec_of_the_guide(write: Write) -> None:
    (source, *_), (spec,) = blocks(GUIDE, "python"), blocks(GUIDE, "yaml")
    write("my_checks.py", source)
    plan, catalog = prepare(write("spec.yaml", spec), entry_points=False)
    (step,) = plan.checks
    assert (step.criterion.check, step.criterion.limit) == ("steps_to_halve", 15)
    assert catalog.checks["steps_to_halve"].question.endswith("?")


@pytest.mark.parametrize(
    "source",
    [source for page in (GUIDE, RECIPE) for source in blocks(page, "python") if not source.startswith(FUNCTIONS)],
    ids=lambda source: source.splitlines()[-1].strip(),
)
def test_each_plugin_of_the_pages_loads_and_imports_only_the_public_pages(source: str, write: Write) -> None:
    assert beside_the_pages(source) == []
    (plugin,) = gather([str(write("guide.py", source))], entry_points=False).plugins
    assert bool(plugin.offers) is ("return [" in source)


def test_the_measurement_of_the_toolkit_s_page_loads(write: Write) -> None:
    lines = (toolkit.__doc__ or "").partition("::\n")[2].partition("**Parts")[0]
    hook = "\nfrom retspec.plugin import hookimpl\n@hookimpl\ndef retspec_measurements(): return [feature_norm]\n"
    path = write("page.py", textwrap.dedent(lines) + hook)
    assert gather([str(path)], entry_points=False).plugins[0].offers == ("feature_norm",)


def test_the_spec_of_the_example_package_is_valid(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(EXAMPLE / "src")
    (spec,) = blocks(EXAMPLE / "README.md", "yaml")
    plan, _ = prepare(write("spec.yaml", spec), plugins=["retspec_features"], entry_points=False)
    assert [step.criterion.id for step in plan.checks] == ["min_feature_rank", "min_feature_spread", "dead_features"]
    assert plan.spec.data.source == "gratings"


def test_the_specs_of_retfound_are_valid(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(RETFOUND / "src")
    whole, own_class = blocks(RETFOUND / "README.md", "yaml")
    plan, _ = prepare(write("spec.yaml", whole), entry_points=False)
    assert plan.spec.model
    assert (plan.spec.model.source, plan.spec.model.fill) == ("retfound", True)
    plan, _ = prepare(write("own.yaml", f"retspec: 1\n{own_class}checks: {{lora_layers: 24}}\n"), entry_points=False)
    assert plan.spec.model
    assert (plan.spec.model.source, plan.spec.model.fill) == ("factory", False)


def test_the_spec_of_the_slurm_package_is_valid(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """It asks for a GPU, and its resources are those that the table explains."""
    monkeypatch.syspath_prepend(SLURM / "src")
    (spec,) = blocks(SLURM / "README.md", "yaml")
    (plan, *_), catalog = prepare_cells(write("spec.yaml", spec), plugins=["retspec_slurm"], entry_points=False)
    assert (plan.spec.run.executor, plan.spec.run.resources["gpus"]) == ("slurm", 1)
    readme = (SLURM / "README.md").read_text()
    assert [name for name in catalog.executors["slurm"].arguments if f"`{name}`" not in readme] == []


@pytest.mark.parametrize(
    ("package", "module"),
    [(EXAMPLE, "retspec_features"), (RETFOUND, "retspec_retfound"), (SLURM, "retspec_slurm")],
)
def test_the_readme_of_a_package_names_all_that_it_offers(
    package: Path, module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(package / "src")
    (plugin,) = gather([module], entry_points=False).plugins
    table = (package / "README.md").read_text()

    assert [name for name in plugin.offers if f"`{name}`" not in table] == []
