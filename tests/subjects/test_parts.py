"""Several inputs per sample reach the model as the user gives them, whatever a measurement does to a batch."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
import torch

from retspec.errors import SpecError, SubjectError
from retspec.prepare import prepare
from retspec.records import Keys, Verdict
from retspec.subjects.data.pairs import pair_of
from retspec.subjects.data.parts import Parts
from tests import tasks
from tests.here import run_here
from tests.run.tools import spec_in

if TYPE_CHECKING:
    from pathlib import Path

    from retspec.records import Result

CHECKS = """\
output_shape: [8, 4]
head_trainable: true
max_memory_estimate_gb: 1
eval_determinism_atol: 0
batch_invariance_atol: 1e-5
batch_leak: 0
initial_loss_rtol: 0.3
loss_drop: 0.2
dead_gradients: 0
input_matters: 0.1
overfit_accuracy: {limit: 1.0, with: {samples: 8}}
grad_accumulation_rtol: 1e-4
compile_atol: {limit: 1e-4, with: {backend: eager}}
"""
ORDER, NAMES = "{inputs: [od, os, age], targets: grade}", "{inputs: {table: age, right: os, left: od}, targets: grade}"


def results(
    folder: Path, form: str, keys: str, more: str = "", checks: str = CHECKS, lora: str = ""
) -> dict[str, Result]:
    source = f'loaders: {{train: "tests.tasks:{form}"}}' if form == "loader" else f'factory: "tests.tasks:{form}"'
    if form not in {"loader", "Eyes"}:
        source = f'factory: "tests.tasks:eyes", kwargs: {{form: {form}}}'
    head = f"""\
model: {{factory: "tests.tasks:TwoEyes"{lora}}}
data: {{{source}{f", keys: {keys}" if keys else ""}}}
train: {{steps: 30, lr: 1e-2, batch_size: 8{more}}}
run: {{device: cpu}}
"""
    return run_here(spec_in(folder, checks, head))


@pytest.mark.parametrize(
    ("form", "keys"),
    [
        ("mapping", ORDER),
        ("mapping", NAMES),
        ("record", ORDER),
        ("flat", "{inputs: [0, 1, 2], targets: 3}"),
        ("nested", "{inputs: 0, targets: 1}"),
        ("named", "{inputs: inputs, targets: grade}"),
        ("Eyes", ORDER),
        ("loader", NAMES),
    ],
)
def test_every_measurement_gives_a_model_all_its_inputs(tmp_path: Path, form: str, keys: str) -> None:
    found = results(tmp_path, form, keys)
    wrong = {name: (each.verdict, each.reason) for name, each in found.items() if each.verdict != Verdict.MET}
    assert wrong == {}


def test_an_adapter_and_a_step_of_ones_own_get_them_too(tmp_path: Path) -> None:
    lora = ', lora: {r: 2, target_modules: ["1"], modules_to_save: [head]}'
    checks = (
        "merge_atol: 1e-5\nadapter_effect: 1e-6\nreload_atol: 1e-6\nmax_memory_estimate_gb: 1\noverfit_accuracy: 1.0"
    )
    found = results(tmp_path, "mapping", ORDER, ', step: "tests.tasks:step"', checks, lora)
    assert {name: each.verdict for name, each in found.items()} == dict.fromkeys(found, Verdict.MET)


def test_rows_hold_each_input_bit_by_bit() -> None:
    keys = Keys(inputs=["od", "age", "flag", "half"], targets="grade")
    given = {**tasks.eyes(), "flag": torch.arange(8) % 2 == 0, "half": torch.randn(8, 2, dtype=torch.bfloat16)}
    pair = pair_of(given, "it", path="data", keys=keys)
    parts = Parts()
    parts.layout = pair.layout
    found = parts.given(pair[0])
    for key, part in zip(("od", "age", "flag", "half"), found, strict=True):
        assert part.shape == given[key].shape
        assert part.to(given[key].dtype).equal(given[key])
    assert [part.dtype for part in found[:3]] == [torch.float32, torch.int64, torch.bool]


def test_one_input_stays_as_it_is() -> None:
    pair = pair_of(tasks.eyes(), "it", path="data", keys=Keys(inputs="os", targets="grade"))
    assert pair[0] is not None
    assert pair.layout is None
    assert pair[0].shape == (8, 3, 8, 8)


@pytest.mark.parametrize(
    ("form", "keys", "said"),
    [
        ("mapping", "", "one of pixel_values, image, images, input, inputs, x is needed, or `keys: {inputs: ..., t"),
        ("nested", "", "inputs are tuple, not a tensor; to give several to the model, say where they are: `keys: {in"),
        ("mapping", "{inputs: [od, oz], targets: grade}", "gave dict without 'oz'; it has od, os, age, grade"),
        ("flat", "{inputs: [0, 1], targets: 7}", "gave tuple without 7; it has 0, 1, 2, 3"),
        ("uneven", "{inputs: [0, 1], targets: 3}", "and are not of as many images"),
        ("file names", "{inputs: [0, 1], targets: 3}", "the inputs are Tensor, str, and each must be a tensor"),
        ("large", "{inputs: [0, 1, 2], targets: 3}", "one input has integers beyond 16777216"),
        ("nested", "{inputs: 1, targets: 0}", "several targets go with a loss or step of your own, as"),
    ],
)
def test_what_cannot_be_given_is_refused_with_what_came(tmp_path: Path, form: str, keys: str, said: str) -> None:
    (result,) = results(tmp_path, form, keys, checks="loss_drop: 0.1").values()
    assert (result.verdict, said in result.reason) == (Verdict.ERROR, True), result.reason


def test_integers_beside_weights_in_half_precision_are_refused() -> None:
    parts = Parts()
    parts.layout = pair_of(tasks.eyes(), "it", path="data", keys=Keys(inputs=["od", "age"], targets="grade")).layout
    parts.require(torch.float32)
    with pytest.raises(SubjectError, match="half precision rounds"):
        parts.require(torch.bfloat16)


def test_keys_have_a_schema(tmp_path: Path) -> None:
    head = 'model: {factory: "a:b"}\ndata: {factory: "a:b", keys: {input: image, targets: [1]}}'
    with pytest.raises(SpecError, match=re.escape("did you mean 'inputs'?")):
        prepare(spec_in(tmp_path, "loss_drop: 0.1", head), entry_points=False)


# Several targets ------------------------------------------------------------------------------------


GRADED = """\
model: {factory: "tests.tasks:GradeAndMask"}
data: {factory: "tests.tasks:graded_masks", kwargs: {form: FORM}, keys: KEYS}
train: {steps: 30, lr: 1e-2, batch_size: 8, LOSS}
run: {device: cpu}
"""
GRADED_CHECKS = """\
loss_drop: 0.2
dead_gradients: 0
unchanged_params: 0
determinism_atol: 0
grad_accumulation_rtol: 1e-4
max_memory_estimate_gb: 1
input_matters: 0.01
"""


@pytest.mark.parametrize(
    ("form", "keys", "loss"),
    [
        ("mapping", "{inputs: image, targets: {grade: grade, mask: mask}}", 'loss: "tests.tasks:graded"'),
        ("pair", "{inputs: 0, targets: 1}", 'loss: "tests.tasks:graded"'),
        ("mapping", "{inputs: image, targets: [grade, mask]}", 'loss: "tests.tasks:graded_in_order"'),
        ("pair", "{inputs: 0, targets: 1}", 'step: "tests.tasks:graded_step"'),
    ],
)
def test_a_loss_over_the_whole_output_gets_all_targets(tmp_path: Path, form: str, keys: str, loss: str) -> None:
    head = GRADED.replace("FORM", form).replace("KEYS", keys).replace("LOSS", loss)
    found = run_here(spec_in(tmp_path, GRADED_CHECKS, head))
    wrong = {name: (each.verdict, each.reason) for name, each in found.items() if each.verdict != Verdict.MET}
    assert wrong == {}


def test_accuracy_over_several_targets_is_not_guessed(tmp_path: Path) -> None:
    head = GRADED.replace("FORM", "pair").replace("KEYS", "{inputs: 0, targets: 1}")
    (result,) = run_here(
        spec_in(tmp_path, "overfit_accuracy: 1.0", head.replace("LOSS", 'loss: "tests.tasks:graded"'))
    ).values()
    assert result.verdict not in {Verdict.MET, Verdict.MISSED}, result.reason
