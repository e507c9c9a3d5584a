"""Seeds of real models: a base that a checkpoint fills is made once, live objects are given back."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest
import torch

import retspec
from retspec.prepare import prepare
from retspec.records import Aggregate, Verdict
from retspec.review.recorded import judge_again
from retspec.running import run
from tests.run.counted import Counted
from tests.run.test_live import SECTIONS, loader, net, state_of
from tests.run.test_seeds import FIVE, SEEDED, run_seeded, table_in
from tests.run.tools import result_of, spec_in
from tests.warm import forked_programs

if TYPE_CHECKING:
    from pathlib import Path

HEAD = """\
model:
  factory: "tests.run.counted:build"
  kwargs: {log: LOG}
  checkpoint: CHECKPOINT
  lora: {r: 2, target_modules: [body], modules_to_save: [head]}
data: {synthetic: {input_size: [3, 8, 8]}}
train: {steps: 3, lr: 1e-2}
run: {device: cpu}
"""
CHECKS = "loss_drop: {limit: -9, warn: -1}\nmax_trainable_params: 9_999\n"


def built(folder: Path, checkpoint: Path | None) -> int:
    """Return how often the base was made on the CPU under three seeds."""
    head = HEAD.replace("LOG", str(folder / "log.txt"))
    kept = f"  checkpoint: {checkpoint}\n" if checkpoint else ""
    spec = spec_in(folder, CHECKS, head.replace("  checkpoint: CHECKPOINT\n", kept))
    with forked_programs():
        report = run(spec, entry_points=False, seeds=3)
    seeds = result_of(report, "loss_drop").seeds
    assert seeds is not None
    assert len({each.observed and each.observed.value for each in seeds.each}) == 3
    assert result_of(report, "max_trainable_params").seeds is None
    return Counter((folder / "log.txt").read_text().splitlines())["built on cpu"]


@pytest.fixture
def weights(tmp_path: Path) -> dict[str, torch.Tensor]:
    return Counted(str(tmp_path / "others.txt")).state_dict()


def test_a_base_that_its_checkpoint_fills_is_made_once(tmp_path: Path, weights: dict[str, torch.Tensor]) -> None:
    torch.save(weights, tmp_path / "whole.pth")
    assert built(tmp_path, tmp_path / "whole.pth") == 1


def test_a_base_with_a_random_head_is_made_under_each_seed(tmp_path: Path, weights: dict[str, torch.Tensor]) -> None:
    torch.save({name: tensor for name, tensor in weights.items() if "head" not in name}, tmp_path / "body.pth")
    assert built(tmp_path, tmp_path / "body.pth") == 3


def test_a_random_base_is_made_under_each_seed(tmp_path: Path) -> None:
    assert built(tmp_path, None) == 3


def test_live_objects_are_measured_under_every_seed_and_given_back() -> None:
    module, batches = net(), loader()
    before = state_of(module, batches)
    checks = {"loss_drop": -9, "max_trainable_params": 9000}
    report = retspec.run(SECTIONS, model=module, data=batches, checks=checks, seeds=3)
    seeds = result_of(report, "loss_drop").seeds
    assert seeds is not None
    assert [each.seed for each in seeds.each] == [42, 43, 44]
    assert [each.verdict for each in seeds.each] == [Verdict.MET] * 3
    assert state_of(module, batches) == before


def test_a_live_run_that_fails_fast_ends_at_the_first_miss() -> None:
    checks = {"loss_drop": 0.999, "short": {"check": "loss_drop", "limit": -9, "with": {"steps": 4}}}
    report = retspec.run(SECTIONS, model=net(), data=loader(), checks=checks, seeds=2, fail_fast=True)
    assert [result.verdict for result in report.results] == [Verdict.MISSED, Verdict.NOT_RUN]


@pytest.mark.parametrize(("aggregate", "limit", "verdict"), [("median", 0.5, Verdict.MET), ("worst", 0.3, Verdict.MET)])
def test_recorded_seeds_are_judged_again(tmp_path: Path, aggregate: str, limit: float, verdict: Verdict) -> None:
    recorded = run_seeded(tmp_path, "at_least: {limit: 0.5, with: {table: TABLE}}")
    assert recorded.exit_code == 1
    table = table_in(tmp_path, FIVE)
    spec = spec_in(tmp_path, f"at_least: {{limit: {limit}, aggregate: {aggregate}, with: {{table: {table}}}}}")
    plan, _ = prepare(spec, plugins=[SEEDED], entry_points=False)
    again = result_of(judge_again([plan], recorded), "at_least")
    assert (again.verdict, again.seeds and again.seeds.aggregate) == (verdict, Aggregate(aggregate))


def test_results_under_fewer_seeds_than_the_spec_asks_for_are_no_answer(tmp_path: Path) -> None:
    recorded = run_seeded(tmp_path, "at_least: {limit: 0.1, with: {table: TABLE}}")
    table = table_in(tmp_path, FIVE)
    spec = spec_in(tmp_path, f"at_least: {{limit: 0.1, with: {{table: {table}}}}}", "run: {seed_count: 6}")
    plan, _ = prepare(spec, plugins=[SEEDED], entry_points=False)
    again = result_of(judge_again([plan], recorded), "at_least")
    assert again.verdict is Verdict.NOT_RUN
    assert again.reason == "it was measured under 5 of the 6 seeds that the spec asks for"
