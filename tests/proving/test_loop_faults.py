"""Mistakes planted into a training of the user's own: what notices each, and that nothing of it stays."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from retspec.errors import DoesNotApply
from retspec.faults import fault
from retspec.plugins.catalog import gather
from retspec.plugins.kinds import OWN_TRAINING
from retspec.prepare import prepare
from retspec.proving.fitting import why_unfit
from retspec.records import Verdict
from retspec.subjects.planting import Planting
from retspec.subjects.training.watching.launching import Launch
from retspec.subjects.training.watching.living import derived_from
from retspec.subjects.training.watching.ranks.running import run_on_ranks
from retspec.subjects.training.watching.rerun import Rerun, place_of_fault, trace_of
from tests.checks.planting import FULL
from tests.distributed.test_ranks import launched
from tests.here import run_here
from tests.house.refresh import ROOT
from tests.loop.healthy import HEALTHY, SPEC
from tests.loop.planting import DROPOUT, SCRIPTS
from tests.loop.planting import FAULTS as BY_TEXT
from tests.loop.planting import Fault as ByText
from tests.run.tools import spec_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from retspec.records import Result

FAULTS = {name: each for name, each in gather(entry_points=False).faults.items() if each.part == OWN_TRAINING}
EXAMPLE = ROOT / "examples" / "train_lora.py"


def healthy(script: str) -> Any:
    return next(each for each in HEALTHY if each.script == script)


def state() -> dict[Any, int]:
    """Return the identity of all that a fault may patch."""
    kinds = [
        *(("zero_grad", each) for each in (nn.Module, Optimizer, *derived_from(Optimizer))),
        *((name, each) for name in ("__init__", "step") for each in (LRScheduler, *derived_from(LRScheduler))),
        *(("train", nn.Module), ("__init__", Optimizer), ("scale", torch.amp.GradScaler)),
        ("__next__", torch.utils.data.dataloader._BaseDataLoaderIter),
    ]
    found = {(each, name): id(vars(each)[name]) for name, each in kinds if name in vars(each)}
    modules = {
        (key, name): vars(each).get(name)
        for key, each in sys.modules.items()
        if hasattr(each, "__dict__")
        for name in ("clip_grad_norm_", "get_peft_model")
    }
    hooks, stepping = nn.modules.module, sys.modules["torch.optim.optimizer"]
    return {
        **found,
        **{key: id(function) for key, function in modules.items() if function is not None},
        "backward": id(torch.autograd.backward),
        "modes": torch._C._len_torch_function_stack(),
        "hooks": len(hooks._global_forward_pre_hooks) + len(hooks._global_forward_hooks),
        "steps": len(stepping._global_optimizer_pre_hooks) + len(stepping._global_optimizer_post_hooks),
    }


@pytest.fixture(autouse=True)
def _nothing_stays() -> Iterator[None]:
    before = state()
    yield
    after = state()
    assert {key: after[key] for key in before if after[key] != before[key]} == {}


def run_with(fault: str, script: str = "plain", *overrides: str) -> dict[str, Result]:
    planted = [f"run.fault={fault}"] if fault else []
    return run_here(SPEC, [*healthy(script).overrides, *overrides, *planted])


def missed(results: dict[str, Result]) -> set[str]:
    return {name for name, result in results.items() if result.verdict is Verdict.MISSED}


def undecided(results: dict[str, Result]) -> set[str]:
    return {name for name, result in results.items() if not result.verdict.is_decided}


# What notices each ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "by_text"),
    [
        ("zero_grad_missing", "zero_grad is missing"),
        ("zero_grad_missing", "zero_grad of the critic is missing"),
        ("scheduler_still", "the scheduler is never stepped"),
        ("average_still", "the average of the weights is never updated"),
        ("accumulation_not_divided", "the division by the accumulation is missing"),
        ("softmax_before_criterion", "softmax before cross-entropy"),
        ("one_batch_repeated", "next(iter(loader)) gives the same batch each time"),
        ("eval_mode_kept", "the validation leaves the model in eval mode"),
        ("eval_mode_kept", "the validation leaves a model beside its average in eval mode"),
        ("no_eval_mode", "the validation runs in train mode"),
        ("no_eval_mode", "the validation of a model beside its average runs in train mode"),
    ],
)
def test_a_fault_is_missed_as_the_same_mistake_in_the_text_is(fault: str, by_text: str, tmp_path: Path) -> None:
    row = next(each for each in BY_TEXT if each.name == by_text)
    sound = replace(
        row, changes=tuple(each for each in row.changes if each is DROPOUT)
    )  # the script without the mistake
    results = run_with(fault, row.script, f'train.script="{sound.plant(tmp_path)}"')
    assert missed(results) == {*row.missed.split()}
    assert undecided(results) == {*healthy(row.script).undecided, *row.undecided.split()}


@pytest.mark.parametrize(
    ("fault", "script", "seen"),
    [
        ("rate_zero_in_loop", "plain", "idle_groups lr_rtol still_averages"),
        ("rate_zero_in_loop", "lbfgs", "idle_groups lr_rtol"),
        ("rate_times_100_in_loop", "plain", "lr_rtol"),
        ("loss_negated", "plain", "loss_weight_rtol"),
        ("images_zeroed", "plain", "repeated_batches"),
        ("accumulation_not_divided", "accelerated", "loss_weight_rtol"),
        ("scheduler_still", "hf_trainer", "idle_groups lr_rtol scheduler_steps"),
        ("clipping_lost", "plain", "max_clipped_norm"),
        ("labels_shuffled", "plain", ""),
        ("labels_off_by_one", "plain", ""),
        ("images_zeroed", "hf_trainer", ""),
    ],
)
def test_a_fault_is_missed_by_these_criteria_alone(fault: str, script: str, seen: str) -> None:
    results = run_with(fault, script)
    assert missed(results) == {*seen.split()}
    assert undecided(results) == {*healthy(script).undecided}


CHECKS = "unowned_params: 0\nloss_drop: 0.3\n"


@pytest.mark.parametrize(
    ("fault", "seen"),
    [
        ("adapter_not_in_optimizer", "unowned_params"),
        ("labels_shuffled", "loss_drop"),
        ("images_zeroed", "loss_drop"),
        ("labels_off_by_one", ""),
    ],
)
def test_a_fault_of_an_adapter_or_of_the_data_shows_in_what_is_learnt(fault: str, seen: str, tmp_path: Path) -> None:
    spec = spec_in(tmp_path, CHECKS, f"train: {{script: {EXAMPLE}, steps: 20}}\nrun: {{fault: {fault}}}")
    results = run_here(spec)
    assert missed(results) == {*seen.split()}
    assert undecided(results) == set()


def test_every_fault_names_checks_that_exist() -> None:
    checks = gather(entry_points=False).checks
    assert {name for each in FAULTS.values() for name in each.noticed_by} <= checks.keys()
    assert all(each.noticed_by for each in FAULTS.values())


# Where a fault does not apply ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "script", "why"),
    [
        ("adapter_not_in_optimizer", "plain", "no optimizer gets parameters of an adapter beside others"),
        ("eval_mode_kept", "plain", "no `train()` brings a layer back from eval mode"),
        ("no_eval_mode", "plain", "no `eval()` reaches a layer"),
        ("scheduler_still", "lbfgs", "no scheduler of torch is stepped"),
        ("clipping_lost", "lbfgs", "no `clip_grad_norm_` of torch met a norm above its limit"),
        ("one_batch_repeated", "lbfgs", "no DataLoader gives a second batch"),
        ("accumulation_not_divided", "frozen_norm", "no loss is divided by the number of backward passes"),
    ],
)
def test_a_training_that_gives_a_fault_nothing_to_change_cannot_have_it(fault: str, script: str, why: str) -> None:
    results = run_with(fault, script)
    assert undecided(results) == {*results}
    assert all(why in each.reason for each in results.values())


def test_what_a_spec_says_rules_a_fault_out() -> None:
    catalog = gather(entry_points=False)
    (own, _), (ours, _) = (prepare(spec, entry_points=False) for spec in (ROOT / "tests/loop/healthy.yaml", FULL))
    zeroing, detached = catalog.faults["zero_grad_missing"], catalog.faults["logits_detached"]
    of_spec, of_checkpoint = catalog.faults["rate_zero"], catalog.faults["initialized_after_loading"]
    assert why_unfit(zeroing, own.spec, catalog) == ""
    assert why_unfit(detached, ours.spec, catalog) == ""
    assert why_unfit(zeroing, ours.spec, catalog) == "the training is no script or trainer of your own"
    static = replace(ours.spec, criteria=ours.spec.criteria[:1])
    assert [each.check for each in static.criteria] == ["max_trainable_params"]
    assert why_unfit(detached, static, catalog) == ""
    trained = replace(static, model=replace(static.model, adapter="saved"))
    assert why_unfit(detached, trained, catalog) == "the model is trained already, and no criterion trains it on"
    assert why_unfit(catalog.faults["base_unfrozen"], trained, catalog) == ""
    assert why_unfit(detached, replace(trained, criteria=ours.spec.criteria), catalog) == ""
    assert why_unfit(detached, own.spec, catalog) == ""
    assert "a program of your own" in why_unfit(of_spec, own.spec, catalog)
    assert "a program of your own" in why_unfit(of_checkpoint, own.spec, catalog)


def test_a_training_that_cannot_have_a_fault_runs_once(tmp_path: Path) -> None:
    script = tmp_path / "counted.py"
    script.write_text(f"open({str(tmp_path / 'runs')!r}, 'a').write('x')\n{(SCRIPTS / 'lbfgs.py').read_text()}")
    (tmp_path / "parts.py").write_text((SCRIPTS / "parts.py").read_text())
    run_with("scheduler_still", "lbfgs", f'train.script="{script}"')
    assert (tmp_path / "runs").read_text() == "x"


# Nothing of it stays -------------------------------------------------------------------------------


def test_a_run_without_a_fault_after_runs_with_all_of_them_is_healthy(tmp_path: Path) -> None:
    script = f'train.script="{ByText("with dropout", (DROPOUT,), "").plant(tmp_path)}"'
    for name in FAULTS:
        run_with(name, "plain", script, "train.steps=6")
    assert {result.verdict for result in run_with("", "plain", script).values()} == {Verdict.MET}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_training_that_is_interrupted_leaves_nothing_patched(fault: str) -> None:
    def start() -> None:
        raise KeyboardInterrupt

    before = state()
    with pytest.raises(KeyboardInterrupt), Planting(FAULTS[fault]).during(OWN_TRAINING, Launch("", start)) as launch:
        launch.start()
    assert state() == before


def test_a_fault_is_undone_after_its_yield_when_a_training_is_interrupted_and_does_not_hide_why() -> None:
    undone: list[str] = []

    @fault(families="loop", noticed_by="accumulation")
    def simple(own_training: Launch) -> Iterator[None]:  # noqa: ARG001
        """As simple as an author of a plugin writes it."""
        yield
        undone.append("undone")
        raise DoesNotApply("nothing was there")

    with pytest.raises(KeyboardInterrupt), Planting(simple).during(OWN_TRAINING, Launch("", lambda: None)):
        raise KeyboardInterrupt
    assert undone == ["undone"]


# In other processes --------------------------------------------------------------------------------


def test_a_second_run_in_another_process_has_the_fault_too() -> None:
    rerun = Rerun(source="script", value="plain.py", folder=str(SCRIPTS), steps=2, threads=1)
    faulty = replace(rerun, fault=place_of_fault(FAULTS["rate_zero_in_loop"]))
    assert trace_of(rerun).rates[0] == (1e-3, 1e-3)
    assert trace_of(faulty).rates == ((0.0, 0.0), (0.0, 0.0))


def test_ranks_have_the_fault_too() -> None:
    run = run_on_ranks(replace(launched(), fault=place_of_fault(FAULTS["rate_zero_in_loop"])), 2)
    assert {rate for each in run.ranks for rates in each.trace.rates for rate in rates} == {0.0}


def test_ranks_that_cannot_have_a_fault_say_so() -> None:
    with pytest.raises(DoesNotApply, match="no optimizer gets parameters of an adapter beside others"):
        run_on_ranks(replace(launched(), fault=place_of_fault(FAULTS["adapter_not_in_optimizer"])), 2)
