"""Every file under `cases/specs`: the good ones are specs, the bad ones give the lines of their `.expected` file.

`pytest --rewrite-golden` writes the expected lines anew.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from retspec.errors import SpecError
from retspec.spec.load import load, load_cells
from retspec.spec.validate import validate, validate_cells

if TYPE_CHECKING:
    from retspec.plugins.catalog import Catalog

SPECS = Path(__file__).parents[2] / "cases" / "specs"


@pytest.mark.parametrize("path", sorted((SPECS / "good").glob("*.yaml")), ids=lambda path: path.stem)
def test_a_good_spec_holds_the_criteria_that_it_lists(path: Path, catalog: Catalog) -> None:
    documents = load_cells(path)
    for document, spec in zip(documents, validate_cells(documents, catalog), strict=True):
        assert [criterion.id for criterion in spec.criteria] == list(document.data["checks"])
        assert all(criterion.mark.line > 1 for criterion in spec.criteria)
        assert spec.cell == document.cell


@pytest.mark.parametrize("path", sorted((SPECS / "bad").rglob("*.yaml")), ids=lambda path: path.stem)
def test_a_bad_spec_is_refused_line_by_line(path: Path, catalog: Catalog, request: pytest.FixtureRequest) -> None:
    with pytest.raises(SpecError) as refusal:
        validate_cells(load_cells(path), catalog)
    lines = str(refusal.value).replace(str(path), path.name).replace(str(SPECS), "specs")
    expected = path.with_suffix(".expected")
    if request.config.getoption("--rewrite-golden", default=False):
        expected.write_text(f"{lines}\n")
    assert lines.splitlines() == expected.read_text().splitlines()


def test_no_case_is_without_its_file() -> None:
    stems = {path.with_suffix("") for path in (SPECS / "bad").rglob("*.yaml")}
    assert {path.with_suffix("") for path in (SPECS / "bad").rglob("*.expected")} == stems
    assert len(stems) > 15


def test_five_faults_are_five_lines(catalog: Catalog) -> None:
    """One report names everything, and no place twice."""
    with pytest.raises(SpecError) as refusal:
        validate(load(SPECS / "bad" / "semantic" / "five-faults.yaml"), catalog)
    assert [problem.mark.line for problem in refusal.value.problems] == [3, 5, 6, 7, 9]
