"""Faults of a model in a training of the user's own: they hold in the module that it makes, and blame nobody."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from retspec.errors import DoesNotApply
from retspec.prepare import prepare
from retspec.proving.choosing import choose
from retspec.records import Result, Verdict
from retspec.subjects.planting import Planting
from retspec.subjects.training.launched_training import LaunchedTraining
from retspec.subjects.training.watching.ranks.running import run_on_ranks
from retspec.subjects.training.watching.rerun import Rerun, place_of_fault
from tests.distributed.test_ranks import launched
from tests.here import run_here
from tests.house.refresh import ROOT
from tests.loop.planting import SCRIPTS
from tests.proving.model_faults import MODEL_FAULTS

if TYPE_CHECKING:
    from retspec.subjects.training.watching.watched import WatchedRun

pytestmark = pytest.mark.usefixtures("nothing_stays")
SPEC = Path(__file__).with_name("adapted.yaml")
OF_A_CALLED_MODEL = """
retspec: 1
train: {{script: {script}, steps: 4}}
checks: {{head_trainable: true, nonfinite_steps: 0, dead_gradients: 0, eval_determinism_atol: 0, batch_leak: 0}}
"""
LOSS_ITSELF = "the model computes its loss itself, from logits that the fault does not reach"


def run_with(planted: str, *words: str, spec: Path = SPEC, select: tuple[str, ...] = ()) -> dict[str, Result]:
    overrides = [f"train.args=[{', '.join(words)}]"] if words else []
    return run_here(spec, [*overrides, *([f"run.fault={planted}"] if planted else [])], select=select)


def of_script(script: str, tmp_path: Path) -> Path:
    spec = tmp_path / "spec.yaml"
    spec.write_text(OF_A_CALLED_MODEL.format(script=SCRIPTS / script))
    return spec


def missed(results: dict[str, Result]) -> set[str]:
    return {name for name, result in results.items() if result.verdict is Verdict.MISSED}


def undecided(results: dict[str, Result]) -> set[str]:
    return {name for name, result in results.items() if not result.verdict.is_decided}


def why_unfit(results: dict[str, Result]) -> str:
    """Return why no criterion has a verdict: the subject cannot have the fault."""
    assert undecided(results) == {*results}
    (why,) = {result.reason for result in results.values()}
    return why


# What notices each ---------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["", "again", "compiled", "task"])
def test_without_a_fault_all_is_met(word: str) -> None:
    assert {result.verdict for result in run_with("", *([word] if word else [])).values()} == {Verdict.MET}


NOT_FINITE = "loss_drop initial_loss_rtol max_grad_norm unchanged_params"
OF_OUTPUTS = "eval_determinism_atol batch_leak batch_invariance_atol merge_atol"
NO_STEP = (
    f"{NOT_FINITE} batch_leak batch_invariance_atol unowned_params foreign_params stale_gradients criterion_input "
    "nonfinite_steps dead_gradients"
)
ROWS = {
    "adapter_bypassed": ("dead_gradients unchanged_params", "merge_atol"),
    "adapter_frozen": ("min_trainable_params", ""),
    "adapter_in_half": ("trainable_dtype nonfinite_steps", NOT_FINITE),
    "adapter_starts_at_zero": ("dead_gradients unchanged_params", ""),
    "base_trains_whole": ("max_trainable_params trainable_names dead_gradients unchanged_params", ""),
    "base_unfrozen": ("max_trainable_params trainable_names", ""),
    "head_bypassed": ("dead_gradients head_trainable unchanged_params", ""),
    "blocks_without_grad": ("dead_gradients unchanged_params", "batch_leak batch_invariance_atol"),
    "config_adapts_every_layer": ("max_trainable_params lora_layers", ""),
    "config_alpha_times_1000": ("lora_scaling merge_atol loss_drop max_grad_norm", ""),
    "config_without_head": ("min_trainable_params head_trainable", ""),
    "dropout_in_eval": ("eval_determinism_atol batch_invariance_atol merge_atol loss_drop", ""),
    "frozen_weight_written": ("frozen_drift", ""),
    "head_frozen": ("min_trainable_params head_trainable", ""),
    "images_lost": ("loss_drop", "batch_leak batch_invariance_atol"),
    "later_layers_frozen": ("min_trainable_params", ""),
    "logits_detached": ("head_trainable", NO_STEP),
    "logits_too_large": ("initial_loss_rtol max_grad_norm", ""),
    "merge_drops_layer": ("merge_atol", ""),
    "merge_forgets_scale": ("merge_atol", ""),
    "samples_mixed": ("batch_leak batch_invariance_atol", ""),
    "softmax_twice": ("criterion_input loss_drop", ""),
    "statistics_drift": ("batch_leak frozen_drift", ""),
    "weight_is_nan": (
        "nonfinite_steps",
        f"{NOT_FINITE} eval_determinism_atol batch_leak batch_invariance_atol merge_atol",
    ),
}
"""What each leaves missed, and without a verdict."""


@pytest.mark.parametrize("planted", ROWS)
def test_a_fault_is_missed_by_these_criteria_alone(planted: str) -> None:
    # A forward pass that writes to the base leaves another model to each criterion: they would start anew for each.
    select = ("frozen_drift",) if planted == "frozen_weight_written" else ()
    results = run_with(planted, select=select)
    assert (missed(results), undecided(results)) == tuple({*names.split()} for names in ROWS[planted])


def test_no_fault_of_a_model_is_left_out_above() -> None:
    assert {*MODEL_FAULTS} - {*ROWS} == {"everything_frozen"}


def test_a_training_that_ends_for_a_fault_closes_the_gate() -> None:
    results = run_with("everything_frozen")
    assert undecided(results) == {*results}
    assert all("optimizer got an empty parameter list" in each.reason for each in results.values())


@pytest.mark.parametrize("planted", ["adapter_frozen", "base_unfrozen", "weight_is_nan", "adapter_in_half"])
def test_what_the_training_does_after_wrapping_takes_no_fault_away(planted: str) -> None:
    """It chooses what trains, loads all weights and casts them."""
    mostly, _ = ROWS[planted]
    assert {*mostly.split()} <= missed(run_with(planted, "again"))


@pytest.mark.parametrize("planted", ["adapter_frozen", "softmax_twice"])
def test_a_compiled_model_has_the_fault_too(planted: str) -> None:
    results = run_with(planted, "compiled")
    assert (missed(results), undecided(results)) == tuple({*names.split()} for names in ROWS[planted])


@pytest.mark.parametrize(
    ("planted", "seen", "open_"),
    [
        ("head_frozen", "head_trainable", ""),
        ("images_lost", "dead_gradients", "batch_leak"),
        ("weight_is_nan", "nonfinite_steps", "eval_determinism_atol batch_leak"),
        ("dropout_in_eval", "eval_determinism_atol", ""),
        ("samples_mixed", "batch_leak", ""),
    ],
)
def test_an_optimizer_that_a_library_makes_is_met_too(planted: str, seen: str, open_: str, tmp_path: Path) -> None:
    results = run_with(planted, spec=of_script("hf_trainer.py", tmp_path))
    assert (missed(results), undecided(results)) == ({*seen.split()}, {*open_.split()})


# Where a fault does not apply ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("planted", "word", "why"),
    [
        ("adapter_frozen", "bare", "no adapter trains"),
        ("merge_drops_layer", "bare", "peft adapts no layer"),
        ("softmax_twice", "by-hand", "the training made no optimizer over the parameters of a module"),
        ("softmax_twice", "task", "the module that trains returns a loss, and no logits"),
        ("images_lost", "task", "is not the one that the training takes its outputs from"),
        ("config_without_head", "bare", "no `get_peft_model` gets a config whose `modules_to_save`"),
        ("config_adapts_every_layer", "bare", "no `get_peft_model` gets a config with `target_modules`"),
        ("config_alpha_times_1000", "bare", "no `get_peft_model` gets a config with `lora_alpha`"),
    ],
)
def test_a_training_that_cannot_have_a_fault_says_why(planted: str, word: str, why: str) -> None:
    assert why in why_unfit(run_with(planted, word))


@pytest.mark.parametrize("planted", ["softmax_twice", "logits_detached", "logits_too_large"])
def test_a_loss_that_the_model_computes_is_not_reached_by_its_logits(planted: str, tmp_path: Path) -> None:
    assert why_unfit(run_with(planted, spec=of_script("hf_trainer.py", tmp_path))) == LOSS_ITSELF


def test_freezing_needs_no_module_that_is_called_as_a_whole() -> None:
    results = run_with("adapter_frozen", "task")
    assert (missed(results), undecided(results)) == ({"min_trainable_params"}, set())


# In other processes --------------------------------------------------------------------------------


def watched(planted: str) -> WatchedRun:
    plan, known = prepare(SPEC, entry_points=False)
    planting = Planting(MODEL_FAULTS[planted]) if planted else None
    return LaunchedTraining(plan.spec, known.training_sources["script"], 2, planting).watch(lambda _step, _steps: None)


def test_a_second_run_in_another_process_has_the_fault_too() -> None:
    healthy, faulty = watched(""), watched("images_lost")
    assert len(faulty.training.losses) == 2
    assert faulty.again().losses == faulty.training.losses != healthy.training.losses


def test_ranks_have_the_fault_too_and_say_when_they_cannot() -> None:
    run = run_on_ranks(replace_fault(launched(), "images_lost"), 2)
    healthy = run_on_ranks(launched(), 2)
    assert [each.trace.losses for each in run.ranks] != [each.trace.losses for each in healthy.ranks]
    with pytest.raises(DoesNotApply, match="peft adapts no layer"):
        run_on_ranks(replace_fault(launched(), "merge_drops_layer"), 2)


def replace_fault(rerun: Rerun, name: str) -> Rerun:
    return replace(rerun, fault=place_of_fault(MODEL_FAULTS[name]))


# What is measured again ----------------------------------------------------------------------------


def test_under_a_fault_of_a_model_the_criteria_of_the_loop_are_measured_again() -> None:
    plan, known = prepare(ROOT / "specs" / "own_training.yaml", entry_points=False)
    (chosen,) = choose(plan, known, ["head_frozen"])
    assert chosen.plan is not None
    measured = {criterion.check for criterion in chosen.plan.spec.criteria}
    assert {"unowned_params", "stale_gradients", "loss_drop", "head_trainable", "merge_atol"} <= measured
    assert "config_values" not in measured
