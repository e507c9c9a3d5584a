"""A training of another kind is one file: the checks on learning run on it, or say why they cannot."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from retspec.errors import SpecError
from retspec.plugins.catalog import gather
from retspec.prepare import prepare
from retspec.records import Passes, Verdict
from retspec.results.provenance import subject_of
from retspec.running import run
from tests.here import run_here
from tests.run.tools import spec_in, verdicts

if TYPE_CHECKING:
    from retspec.records import Result, Spec

PLUGIN = str(Path(__file__).with_name("own_training.py"))
HEAD = """\
model:
  factory: "tests.tiny_between:plain"
data: {synthetic: {input_size: [3, 32, 32]}}
run: {device: cpu}
"""
CHECKS = """\
loss_drop: 0.05
dead_gradients: 0
determinism_atol: 0
grad_accumulation_rtol: 1e-4
peak_memory_mb: {limit: 100, with: {iterations: 20}}
max_memory_estimate_gb: 1
"""


def spec_of(folder: Path, train: str) -> Path:
    return spec_in(folder, CHECKS, f"{HEAD}train: {train}\n")


def results_of(folder: Path, train: str) -> dict[str, Result]:
    return run_here(spec_in(folder, CHECKS, f"plugins: [{PLUGIN}]\n{HEAD}train: {train}\n"))


def loaded(folder: Path, train: str) -> Spec:
    plan, _ = prepare(spec_of(folder, train), plugins=[PLUGIN], entry_points=False)
    return plan.spec


def test_the_checks_on_learning_run_on_a_training_of_another_kind(tmp_path: Path) -> None:
    report = run(
        spec_of(tmp_path, "{divided_brier: {}, lr: 0.5, accumulation: 2, batch_size: 6}"),
        plugins=[PLUGIN],
        entry_points=False,
    )
    assert set(verdicts(report).values()) == {Verdict.MET}, {r.criterion.id: r.reason for r in report.undecided}


def test_a_rate_of_zero_is_seen(tmp_path: Path) -> None:
    result = results_of(tmp_path, "{brier: 0.0, batch_size: 6}")["loss_drop"]
    assert result.verdict is Verdict.MISSED
    assert result.observed.value == 0


def test_what_cannot_be_varied_gets_no_verdict_and_says_so(tmp_path: Path) -> None:
    results = results_of(tmp_path, "{brier: 0.5, batch_size: 6}")
    undecided = results.pop("grad_accumulation_rtol")
    assert not undecided.verdict.is_decided
    assert "`train.brier` has no key 'accumulation' to vary" in undecided.reason
    assert {result.verdict for result in results.values()} == {Verdict.MET}


def test_passes_are_counted_in_the_micro_batches_of_the_kind(tmp_path: Path) -> None:
    path = spec_in(
        tmp_path, "loss_drop: 0.1", f"{HEAD}train: {{divided_brier: {{}}, lr: 1, accumulation: 3, steps: 4}}\n"
    )
    plan, _ = prepare(path, plugins=[PLUGIN], entry_points=False)
    assert plan.passes == Passes(forward=12, backward=12)


def test_it_is_a_part_of_the_subject(tmp_path: Path) -> None:
    subject = subject_of(loaded(tmp_path, "{divided_brier: {}, lr: 0.5, steps: 7}"))
    assert subject["train"] == {"steps": 7, "lr": 0.5, "source": "divided_brier", "value": {}}


def test_the_recipe_is_a_kind_that_needs_no_key(tmp_path: Path) -> None:
    spec = loaded(tmp_path, "{steps: 7}")
    assert spec.training is None
    assert subject_of(spec)["train"] == {"steps": 7}
    assert set(gather([PLUGIN], entry_points=False).training_sources) == {
        *("recipe", "script", "module", "callable", "trainer"),
        *("brier", "divided_brier"),
    }


@pytest.mark.parametrize(
    ("train", "said"),
    [
        ("{brier: 0.5, lr: 1}", "unknown key 'lr' in train; allowed: brier, steps"),
        ("{brier: 0.5, divided_brier: {}}", "train names two sources, brier and divided_brier; keep one"),
        ("{divided_brier: {}}", "train needs the key 'lr'"),
        ("{brier: fast}", "train.brier: expected a number"),
        ("{brier: 0.5, steps: 0}", "train.steps: 0 is out of range"),
        ("{brierr: 0.5}", "did you mean 'brier'?"),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, train: str, said: str) -> None:
    with pytest.raises(SpecError) as caught:
        loaded(tmp_path, train)
    assert said in str(caught.value)


@pytest.mark.parametrize(("seed", "verdict"), [("3", Verdict.MET), ("0", Verdict.MISSED)])
def test_a_program_that_a_plugin_starts_can_be_run_again(seed: str, verdict: Verdict, tmp_path: Path) -> None:
    plugin = Path(__file__).with_name("own_launch.py")
    head = f"plugins: [{plugin}]\ntrain: {{seeded_text: {{seed: {seed}}}, steps: 2}}\n"
    (result,) = run_here(spec_in(tmp_path, "script_determinism: 0", head)).values()
    assert result.verdict is verdict, result.reason
