"""Arguments of `forward` beside the inputs of a batch reach the model in each call, whatever a measurement does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch

from retspec.errors import SpecError, SubjectError
from retspec.prepare import prepare
from retspec.records import Verdict
from retspec.subjects.models.forward_arguments import fix_arguments, fixed_in
from retspec.subjects.models.seal import Seal
from retspec.subjects.models.structure import fully_trained
from tests.here import run_here
from tests.own_adapters import Prompted
from tests.run.tools import spec_in
from tests.tiny import vit

if TYPE_CHECKING:
    from pathlib import Path

GIVEN = "forward: {scale: 2.0, many: true}"
CHECKS = """\
trainable_names: [down, up, mask]
lora_layers: 2
output_shape: [4, 3, 4, 4]
head_trainable: true
loss_drop: 0.1
initial_loss_rtol: 0.3
dead_gradients: 0
unchanged_params: 0
frozen_drift: 0
batch_leak: 0
batch_invariance_atol: 1e-5
eval_determinism_atol: 0
grad_accumulation_rtol: 1e-4
adapter_effect: 1e-4
max_memory_estimate_gb: 1
overfit_accuracy: {limit: 0.1, with: {samples: 4, most_steps: 5}}
compile_atol: {limit: 1e-4, with: {backend: eager}}
"""


def spec_of(
    folder: Path, forward: str, checks: str = CHECKS, keys: str = "{inputs: image, targets: low}", more: str = ""
) -> Path:
    head = f"""\
model: {{factory: "tests.own_adapters:Prompted", output: low{f", {forward}" if forward else ""}}}
data: {{factory: "tests.own_adapters:images_and_masks", keys: {keys}}}
train: {{steps: 10, lr: 1e-2, batch_size: 4, task: segmentation{more}}}
run: {{device: cpu}}
"""
    return spec_in(folder, checks, head)


def test_every_measurement_gives_a_model_what_no_batch_has(tmp_path: Path) -> None:
    found = run_here(spec_of(tmp_path, GIVEN))
    wrong = {name: (each.verdict, each.reason) for name, each in found.items() if each.verdict != Verdict.MET}
    assert wrong == {}


def test_a_loss_of_all_outputs_and_inputs_by_name_go_with_them(tmp_path: Path) -> None:
    checks = "loss_drop: 0.1\noutput_shape: [4, 3, 4, 4]\nbatch_leak: 0"
    keys = "{inputs: {images: image}, targets: low}"
    found = run_here(spec_of(tmp_path, GIVEN, checks, keys, ', loss: "tests.own_adapters:of_all_outputs"'))
    assert {name: each.verdict for name, each in found.items()} == dict.fromkeys(found, Verdict.MET)


@pytest.mark.parametrize(
    ("forward", "said"),
    [
        ("", "missing 2 required positional arguments: 'many' and 'scale'"),
        ("", "give others that are the same in each call under `model.forward`"),
        ("forward: {many: true}", "missing 1 required positional argument: 'scale'"),
        (
            "forward: {many: true, scal: 2.0}",
            "spec.yaml:3:90: `forward` of Prompted has no argument 'scal'; did you mean 'scale'?",
        ),
        ("forward: {many: true, x: 1}", "`forward` of Prompted has no argument 'x'; it has many, scale"),
        ("forward: {images: 1, many: true, scale: 1}", "'images' is the first argument of `forward` of Prompted"),
    ],
)
@pytest.mark.parametrize("check", ["loss_drop: 0.1", "output_shape: [4, 3, 4, 4]"])
def test_wrong_arguments_are_named(tmp_path: Path, check: str, forward: str, said: str) -> None:
    (result,) = run_here(spec_of(tmp_path, forward, check)).values()
    assert (result.verdict, said in result.reason) == (Verdict.ERROR, True), result.reason


def test_an_argument_that_a_batch_gives_too_is_refused(tmp_path: Path) -> None:
    spec = spec_of(tmp_path, GIVEN, "loss_drop: 0.1", "{inputs: {images: image, scale: scale}, targets: low}")
    (result,) = run_here(spec).values()
    assert result.verdict is Verdict.ERROR
    assert "the model gets 'scale' from the batch or your step, too" in result.reason


def test_arguments_are_a_mapping(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"model.forward: expected a mapping; found 3"):
        prepare(spec_of(tmp_path, "forward: 3"), entry_points=False)


def test_they_are_replaced_and_taken_away() -> None:
    """A base model is kept from cell to cell, and with it whatever it was given."""
    model, inputs = Prompted(), torch.zeros(1, 3, 16, 16)
    fix_arguments(model, {"many": True, "scale": 1.0})
    fix_arguments(model, {"many": False, "scale": 1.0})
    assert model(inputs)["low"].shape[1] == 1
    fix_arguments(model, {})
    with pytest.raises(TypeError, match="missing 2 required"):
        model(inputs)


def test_a_model_that_takes_any_argument_gets_them() -> None:
    class Free(torch.nn.Module):
        def forward(self, *_inputs: Any, **options: Any) -> Any:
            return options

    model = Free()
    fix_arguments(model, {"return_dict": False})
    assert model(1) == {"return_dict": False}


def test_they_are_held_against_the_users_own_model_and_stay_with_it() -> None:
    model = vit()
    with pytest.raises(SubjectError, match="has no argument 'scale'"):
        fix_arguments(model, {"scale": 1.0})
    fix_arguments(model, {"attn_mask": None})
    fixed = fixed_in(fully_trained(model))
    assert fixed is not None
    assert fixed.arguments == {"attn_mask": None}


def test_a_model_that_is_built_again_is_recognised() -> None:
    twins = Prompted(), Prompted()
    twins[1].load_state_dict(twins[0].state_dict())
    for model in twins:
        fix_arguments(model, {"many": True, "scale": 1.0})
    first, second = map(Seal.of, twins)
    assert first.is_of_twin(second)
