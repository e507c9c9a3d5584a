"""Every fault of retspec is noticed by what it says notices it, touches no file, and leaves nothing behind."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import pytest
import torch

from retspec.plugins.catalog import Catalog, gather
from retspec.plugins.kinds import OWN_TRAINING
from retspec.prepare import prepare
from retspec.records import Verdict
from retspec.subjects.models.base_models import BaseModels
from retspec.subjects.subject import Subject
from tests.checks.faults import FAULTS
from tests.checks.planting import CHECKPOINT
from tests.here import run_here
from tests.proving.planting import ROWS, SPECS, hashes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from torch import nn

    from tests.checks.planting import Fault as GridRow
    from tests.proving.planting import Row

OF_FILES = tuple(row for row in FAULTS if row.planted and row.spec == CHECKPOINT)
ADAPTED = """
retspec: 1
model:
  factory: "tests.{factory}"
  lora: {{r: 4, alpha: 16, target_modules: [{target}], modules_to_save: [head]}}
data: {{synthetic: {{input_size: [3, 32, 32], batch_size: 6}}}}
checks: {{merge_atol: 1e-5}}
"""


@cache
def catalog() -> Catalog:
    return gather(entry_points=False)


def names(part: str) -> list[str]:
    return [name for name, fault in catalog().faults.items() if fault.part == part]


@pytest.mark.parametrize("spec", SPECS, ids=[spec.stem for spec in SPECS])
@pytest.mark.usefixtures("folder")
def test_subject_meets_all_criteria_without_a_fault(spec: Path) -> None:
    assert {result.verdict for result in run_here(spec).values()} == {Verdict.MET}


@pytest.mark.parametrize("row", ROWS, ids=[row.planted for row in ROWS])
def test_every_criterion_comes_out_as_the_row_states(row: Row, folder: Path) -> None:
    before = hashes(folder)
    results = run_here(row.spec, [f"run.fault={row.planted}"])
    reasons = {name: result.reason for name, result in results.items()}
    assert {name for name, each in results.items() if each.verdict is Verdict.MISSED} == row.missed, reasons
    assert {name for name, each in results.items() if not each.verdict.is_decided} == row.undecided, reasons
    assert hashes(folder) == before


@pytest.mark.parametrize("row", OF_FILES, ids=[row.planted for row in OF_FILES])
def test_fault_of_a_checkpoint_touches_no_file(row: GridRow, folder: Path) -> None:
    before = hashes(folder)
    results = run_here(row.spec, row.settings)
    assert {name for name, each in results.items() if each.verdict is Verdict.MISSED} == row.missed
    assert hashes(folder) == before


def missed_under() -> dict[str, set[str]]:
    """Return the checks that miss each fault, in the grid or here: criteria are named like their check."""
    found: dict[str, set[str]] = {}
    for row in (*FAULTS, *ROWS):
        found.setdefault(row.planted, set()).update(row.missed)
    return found


@pytest.mark.parametrize("name", [name for name, each in catalog().faults.items() if each.part != OWN_TRAINING])
def test_what_a_fault_says_notices_it_does(name: str) -> None:
    fault, checks = catalog().faults[name], catalog().checks
    assert [each for each in fault.noticed_by if each not in checks] == []
    assert {checks[each].family for each in fault.noticed_by} <= fault.families
    missed = missed_under().get(name, set())
    assert fault.noticed_by[0] in missed
    # One that touches the numbers of parameters alone is tried without weights on purpose.
    assert fault.families == {"parameters"} or {checks[each].family for each in missed} <= fault.families


def made(spec: Path, bases: BaseModels, fault: str = "", settings: Sequence[str] = ()) -> Subject:
    planted = [f"run.fault={fault}"] if fault else []
    plan, known = prepare(spec, overrides=[*settings, *planted], entry_points=False)
    return Subject(
        plan.spec,
        model_sources=known.model_sources,
        data_sources=known.data_sources,
        weights=True,
        fault=known.faults.get(fault),
        bases=bases,
        keep=True,
    )


def state(model: nn.Module) -> dict[str, tuple[torch.Tensor, bool]]:
    """Return all values of a model, and what trains."""
    tensors = (*model.named_parameters(), *model.named_buffers())
    return {name: (tensor.detach().clone(), tensor.requires_grad) for name, tensor in tensors}


def differing(model: nn.Module, before: dict[str, tuple[torch.Tensor, bool]]) -> list[str]:
    """Return the names of what is not as it was: dtype, values to the bit, whether it trains."""
    now = state(model)
    assert now.keys() == before.keys()
    return [
        name
        for name, (tensor, trains) in now.items()
        if tensor.dtype != before[name][0].dtype
        or not torch.equal(tensor, before[name][0])
        or trains != before[name][1]
    ]


def step_under(subject: Subject) -> list[torch.Tensor]:
    """Let a model run in training mode and backwards, and return its logits and gradients."""
    model = subject.model.train()
    logits = model(subject.batch.inputs)
    if not logits.requires_grad:
        return [logits]
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    return [logits, *torch.autograd.grad(logits.square().sum(), trained, allow_unused=True, materialize_grads=True)]


@pytest.mark.parametrize("fault", names("model"))
def test_undone_fault_leaves_the_base_as_it_was_and_kept(fault: str, tmp_path: Path) -> None:
    spec, bases = tmp_path / "spec.yaml", BaseModels()
    factory, target = (
        ("tiny_between:normalized_by_batch", "embed") if fault == "statistics_drift" else ("tiny:base", "qkv")
    )
    spec.write_text(ADAPTED.format(factory=factory, target=target))
    healthy = made(spec, bases)
    base = {id(each) for each in healthy.model.parameters() if not each.requires_grad}
    expected, step = state(healthy.model), step_under(healthy)
    planted = made(spec, bases, fault)
    step_under(planted)
    planted.give_back()
    later = made(spec, bases)
    assert base & {id(each) for each in later.model.parameters()}, "the base was built again"
    assert differing(later.model, expected) == []
    assert all(torch.equal(*pair) for pair in zip(step_under(later), step, strict=True))


@pytest.mark.usefixtures("folder")
def test_a_base_with_a_fault_of_its_checkpoint_is_kept_for_no_other() -> None:
    bases, settings = BaseModels(), OF_FILES[0].overrides
    for fault in ("checkpoint_half_loaded", "checkpoint_has_nan", ""):
        subject = made(CHECKPOINT, bases, fault, settings)
        values = [parameter.detach() for parameter in subject.model.parameters()]
        assert not subject.lacks_fault
        assert any(not each.isfinite().all() for each in values) == (fault == "checkpoint_has_nan")
        subject.give_back()
