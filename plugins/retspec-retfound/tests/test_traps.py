"""Every known silent fault gets a verdict that names it; healthy setups meet every criterion."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from retfound_traps import README, traps, with_traps
from retspec.plugin import Verdict
from retspec.plugins.catalog import gather
from retspec.text.wording import detail_lines

if TYPE_CHECKING:
    from conftest import Judged
    from retfound_traps import Trap
    from retspec.plugin import Result

pytestmark = pytest.mark.no_cover  # tracing torch costs a third more time; the core is covered by its own tests

TRAPS = traps()
HEALTHY = sorted((Path(__file__).parent / "healthy").glob("*.yaml"))


def said(result: Result) -> str:
    """Return reason and details on one line."""
    details = result.observed.details if result.observed else {}
    return " ".join(" ".join([result.reason, *detail_lines(details)]).split())


@pytest.mark.parametrize("trap", TRAPS, ids=lambda trap: trap.path.stem)
def test_a_trap_is_loud(trap: Trap, judged: Judged) -> None:
    (result,) = judged(trap.path).values()
    assert result.criterion.check == trap.check
    assert result.verdict is Verdict.MISSED, result.trace
    assert trap.says in said(result)


def test_names_alone_are_not_enough_where_a_factory_loaded_nothing(judged: Judged) -> None:
    path = next(trap.path for trap in TRAPS if trap.path.stem == "loader-falls-back")
    (result,) = judged(path, ["checks={retfound_keys: large}"]).values()
    assert result.verdict is Verdict.MISSED
    assert "not as in the file: cls_token" in said(result)


@pytest.mark.parametrize("path", HEALTHY, ids=lambda path: path.stem)
def test_what_is_healthy_is_met(path: Path, judged: Judged) -> None:
    results = judged(path)
    assert {name: said(result) for name, result in results.items() if result.verdict is not Verdict.MET} == {}


def test_every_check_of_a_trap_is_met_by_something_healthy() -> None:
    """A check that is always red would catch every trap."""
    met = "\n".join(path.read_text() for path in HEALTHY)
    assert [trap.check for trap in TRAPS if f"  {trap.check}:" not in met] == []


def test_every_check_of_the_plugin_is_there_for_a_trap() -> None:
    own = {name for name in gather(["retspec_retfound"], entry_points=False).checks if name.startswith("retfound_")}
    assert own - {trap.check for trap in TRAPS} == set()


def test_the_readme_lists_the_traps() -> None:
    page = README.read_text()
    assert page == with_traps(page), "refresh it with: python tests/retfound_traps.py"
