"""check-jsonschema, which knows nothing of retspec, agrees about the files under `cases/specs`.

It reads YAML with another parser and sees the published schema alone, so that what an editor underlines is what
`retspec validate` refuses. Faults that no schema can see are kept in `bad/semantic`.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from retspec.spec.validate import compose_schema

if TYPE_CHECKING:
    from retspec.plugins.catalog import Catalog

SPECS = Path(__file__).parents[2] / "cases" / "specs"


@pytest.fixture(scope="session")
def schema_file(catalog: Catalog, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("schemas") / "spec.schema.json"
    path.write_text(json.dumps(compose_schema(catalog, published=True)))
    return path


def _refused(*arguments: str | Path) -> set[str]:
    """Return the names of the files that check-jsonschema refuses."""
    command = [sys.executable, "-m", "check_jsonschema", "--output-format", "json", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    answer = json.loads(done.stdout)
    wrong = [*answer.get("errors", []), *answer.get("parse_errors", [])]
    return {Path(error["filename"]).name for error in wrong}


def test_the_published_schema_is_draft_07(schema_file: Path) -> None:
    assert _refused("--check-metaschema", schema_file) == set()


def test_an_editor_accepts_the_good_specs(schema_file: Path) -> None:
    files = sorted((SPECS / "good").glob("*.yaml"))
    assert files
    assert _refused("--schemafile", schema_file, *files) == set()


def test_an_editor_refuses_the_bad_specs(schema_file: Path) -> None:
    files = sorted((SPECS / "bad").glob("*.yaml"))
    assert _refused("--schemafile", schema_file, *files) == {file.name for file in files}


def test_what_lies_in_semantic_is_beyond_a_schema(schema_file: Path) -> None:
    """Else it belongs one folder up. The first three are YAML that another reader may refuse by itself."""
    hidden = {"references.yaml", "warn.yaml", "without-model.yaml", "extends-missing.yaml", "matrix-cells.yaml"}
    files = [SPECS / "bad" / "semantic" / name for name in sorted(hidden)]
    assert _refused("--schemafile", schema_file, *files) == set()
