"""The pytest plugin: specs beside the tests, and `retspec_run` inside them.

Where retspec is installed, pytest finds this module by itself. It collects `*.retspec.yaml`, or the files that the ini
option `retspec_specs` names by globs, with one item per criterion: `-k loss_drop`, `-m retspec`, `-x`, `--junitxml` and
the rest of pytest work on them. The items of a file share one run in a worker process, as usual; it starts with the
first item and measures what is selected. A missed limit is a failure, no verdict an error, a waived miss an expected
failure, a warning a `CriterionWarning`.

`retspec_run("spec.yaml", overrides=["model.lora.r=16"])` in a test returns the `Report`. In a spec that pytest runs,
`data: {fixture: name}` takes the batch from a fixture.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.testing.collecting import MARKER, CriterionWarning, SpecFile, result_of_criterion
from retspec.testing.fixtures import RetspecRun, retspec_run
from retspec.testing.sharing import pytest_configure_node

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

__all__ = [
    "CriterionWarning",
    "RetspecRun",
    "pytest_addoption",
    "pytest_collect_file",
    "pytest_configure",
    "pytest_configure_node",
    "result_of_criterion",
    "retspec_run",
]

GLOBS = "retspec_specs"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the ini option."""
    description = "globs of the specs to collect, matched from the right as in pathlib.PurePath.match"
    parser.addini(GLOBS, description, type="args", default=["*.retspec.yaml"])


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker of the items."""
    config.addinivalue_line("markers", f"{MARKER}: a criterion of a spec, collected by retspec.")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect the files that the globs match."""
    globs: list[str] = parent.config.getini(GLOBS)
    if any(file_path.match(glob) for glob in globs):
        return SpecFile.from_parent(parent, path=file_path)
    return None
