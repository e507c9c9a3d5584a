"""The shipped spec of the whole catalogue: it holds every check, is met on the CPU, and costs what its plan says."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
import torch
from timm.models import VisionTransformer
from torch.nn.modules.module import register_module_forward_hook

from retspec.plugins.catalog import gather
from retspec.prepare import prepare
from retspec.records import Verdict
from tests.here import run_here
from tests.house.refresh import ROOT

if TYPE_CHECKING:
    from retspec.records import Result

FULL = ROOT / "specs" / "lora_full.yaml"
SLACK = 1.15
"""Passes that a run may make for each one of its plan."""
COMPILED = "compile_atol"
"""Counted apart: a hook on every module makes the compiler start over at each of them, which takes a minute."""


@cache
def counted() -> tuple[dict[str, Result], int]:
    """Results of the spec, and the forward passes of real tensors that it took but for compiling.

    No fixture: pytest-cov measures those, whatever the mark of the test says.
    """
    passes = 0

    def note(module: torch.nn.Module, inputs: Any, _output: Any) -> None:
        nonlocal passes
        passes += isinstance(module, VisionTransformer) and type(inputs[0]) is torch.Tensor

    with register_module_forward_hook(note):
        results = run_here(FULL, skip=[COMPILED])
    return results | run_here(FULL, select=[COMPILED]), passes


@pytest.mark.no_cover  # as in `test_faults.py`
def test_every_criterion_is_met() -> None:
    results, _ = counted()
    assert {name: result.reason for name, result in results.items() if result.verdict is not Verdict.MET} == {}


@pytest.mark.no_cover
def test_it_takes_no_more_passes_than_its_plan_declares() -> None:
    plan, _ = prepare(FULL, skip=[COMPILED], entry_points=False)
    _, passes = counted()
    assert plan.fewest_passes.forward <= passes <= SLACK * plan.passes.forward
    # `overfitting` ends when it has learnt, long before the most steps that the plan has to count.
    assert plan.passes.forward / 2 < passes


def test_no_check_of_the_catalogue_is_left_out() -> None:
    text = FULL.read_text()
    assert [name for name in gather(entry_points=False).checks if f"  {name}: " not in text.replace("# ", "")] == []
