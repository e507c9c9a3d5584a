"""A planted fault turns the criterion red that exists for it, and no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from retspec.records import Verdict
from tests.here import run_here

PREFLIGHT = Path(__file__).parent.parent / "cases" / "preflight" / "lora.yaml"


def factory(name: str) -> list[str]:
    return [f'model.factory="tests.tiny:{name}"']


FAULTS = {
    "healthy": ([], set()),
    "the adapter is never trained": (factory("adapter_never_trained"), {"adapter_effect"}),
    "the head is frozen by a misspelt modules_to_save": (factory("head_misspelt"), {"head_trainable"}),
    "the head is replaced after wrapping": (
        factory("head_replaced_after_wrapping"),
        {"head_trainable", "dead_gradients", "unchanged_params"},
    ),
    "the targets [qkv, proj] adapt the patch embedding too": (
        [*factory("patch_embedding_adapted"), "checks.lora_layers=4"],
        {"lora_layers"},
    ),
    "a part of the base is left unfrozen": (factory("base_left_unfrozen"), {"trainable_names"}),
    "the learning rate is zero": (["train.lr=0"], {"loss_drop", "unchanged_params", "adapter_effect"}),
    "a transform zeroes the inputs": (
        [*factory("inputs_zeroed"), "data.synthetic.input_size=[3, 32, 32]"],
        {"loss_drop"},
    ),
    "a weight is NaN": (factory("nan_weight"), {"nonfinite_steps"}),
    "merging drops a layer": (factory("merge_drops_a_layer"), {"merge_atol"}),
    "unmerging forgets a layer": (factory("unmerge_forgets_a_layer"), {"unmerge_atol"}),
    "the attention bypasses its adapter": (
        factory("adapter_bypassed"),
        {"dead_gradients", "unchanged_params", "adapter_effect"},
    ),
    "a hook writes to a frozen weight": (factory("frozen_weight_written"), {"frozen_drift"}),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_planted_fault_turns_its_own_criteria_red(fault: str) -> None:
    overrides, expected = FAULTS[fault]
    results = run_here(PREFLIGHT, overrides)
    missed = {name for name, result in results.items() if result.verdict is Verdict.MISSED}
    assert missed == expected, {name: results[name].reason for name in missed ^ expected}


def test_healthy_preflight_is_met_whole() -> None:
    assert {result.verdict for result in run_here(PREFLIGHT).values()} == {Verdict.MET}
