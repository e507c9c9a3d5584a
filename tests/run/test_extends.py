"""A run of a spec whose parts lie in two folders."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.records import Verdict
from retspec.running import run
from tests.run.tools import verdicts

if TYPE_CHECKING:
    from pathlib import Path

PLUGIN = """
from retspec.plugin import Check, check, hookimpl

@check(direction="at most", advice="Nothing to do.")
def two() -> int:
    '''What is two?'''
    return 2

@hookimpl
def retspec_checks() -> list[Check]:
    return [two]
"""
FACTORY = """
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.beside = nn.Linear(2, 2)

def build():
    return Net()
"""


def test_plugins_and_factories_lie_beside_the_file_that_names_them(tmp_path: Path) -> None:
    common, specs = tmp_path / "common", tmp_path / "specs"
    common.mkdir()
    specs.mkdir()
    (common / "extended_checks.py").write_text(PLUGIN)
    (common / "extended_factory.py").write_text(FACTORY)
    (common / "base.yaml").write_text(
        "retspec: 1\nmodel: {factory: 'extended_factory:build'}\nplugins: [extended_checks.py]\nchecks: {two: 2}\n"
    )
    (specs / "spec.yaml").write_text("retspec: 1\nextends: ../common/base.yaml\nchecks: {max_trainable_params: 5}\n")
    report = run(specs / "spec.yaml", entry_points=False)
    assert verdicts(report) == {"two": Verdict.MET, "max_trainable_params": Verdict.MISSED}
    assert [result.criterion.mark.file for result in report.results] == [
        str(common / "base.yaml"),
        str(specs / "spec.yaml"),
    ]
