"""Verdicts hold for every task: what chance is, what a right answer is, and which targets belong to which outputs."""

from __future__ import annotations

import re
from math import log
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch.nn import functional

from retspec.errors import Inconclusive, SpecError, SubjectError
from retspec.measurements.labels import labels
from retspec.prepare import prepare
from retspec.records import LOSSES, Recipe, Verdict
from retspec.subjects.data.batch import Batch
from retspec.subjects.data.sources.imagefolder import ImageFolder, imagefolder
from retspec.subjects.training.making import TrainerMaker
from retspec.subjects.training.tasks.choosing import named_task, task_of
from tests import tasks
from tests.here import run_here
from tests.photos import healthy
from tests.run.tools import spec_in

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

    from retspec.records import Result

HEALTHY = """\
initial_loss_rtol: 0.5
loss_drop: 0.2
dead_gradients: 0
unchanged_params: 0
overfit_accuracy: 0.99
overfit_steps: 250
input_matters: 0.1
grad_accumulation_rtol: 1e-4
max_memory_estimate_gb: 1
overfit_loss: 0.5
"""
NO_CHANCE = frozenset({"initial_loss_rtol"})


def results(folder: Path, model: str, data: str, train: str, checks: str = HEALTHY) -> dict[str, Result]:
    head = f"""\
model: {{factory: "tests.tasks:{model.partition(" ")[0]}", kwargs: {{{model.partition(" ")[2]}}}}}
data: {data}
train: {{steps: 60, lr: 1e-2, batch_size: 8, {train}}}
run: {{device: cpu}}
"""
    return run_here(
        spec_in(folder, checks.replace("accuracy: 0.99", "accuracy: {limit: 0.99, with: {most_steps: 250}}"), head)
    )


def noise(size: str = "[3, 8, 8]", more: str = "") -> str:
    return f"{{synthetic: {{input_size: {size}{more}}}}}"


def own(kind: str) -> str:
    return f'{{factory: "tests.tasks:batch", kwargs: {{kind: "{kind}"}}}}'


@pytest.mark.parametrize(
    ("model", "data", "train", "undecided"),
    [
        ("flat outputs: 4", noise(), "task: classification", ()),
        ("flat outputs: 4", noise(), "loss: bce_with_logits", ()),
        ("flat outputs: 1", noise(), "loss: bce_with_logits", ()),
        ("flat outputs: 4", noise(), "task: multilabel", ()),
        ("flat outputs: 4", noise(), "task: ordinal", ()),
        ("flat outputs: 4", noise(), "task: ordinal, loss: bce_with_logits", ()),
        ("flat outputs: 1", noise(more=", num_classes: 4"), "task: ordinal, loss: mse", NO_CHANCE),
        ("flat outputs: 1", noise(), "task: regression", NO_CHANCE),
        ("flat outputs: 3", noise(), "loss: l1", NO_CHANCE),
        ("number", noise(), "loss: huber", NO_CHANCE),
        ("pixels", noise(), "task: segmentation", ()),
        ("pixels", noise(), "loss: cross_entropy", ()),
        ("pixels outputs: 1", noise(), "loss: bce_with_logits", ()),
        ("pixels outputs: 2", noise(), "loss: bce_with_logits", ()),
        ("pixels outputs: 1", noise(), "loss: smooth_l1", NO_CHANCE),
        ("voxels", noise("[1, 4, 8, 8]"), "task: segmentation", ()),
        ("flat outputs: 3, size: 256", noise("[1, 4, 8, 8]"), "loss: cross_entropy", ()),
        ("flat outputs: 3, size: 832", noise("[13, 8, 8]"), "loss: cross_entropy", ()),
        ("autoencoder", noise(), "task: self_supervised", NO_CHANCE | {"overfit_accuracy", "input_matters"}),
        ("flat outputs: 5", own("labels"), "loss: bce_with_logits", ()),
        ("flat outputs: 1", own("zero or one"), "loss: bce_with_logits", ()),
        ("number", own("zero or one, as a column"), "loss: bce_with_logits", ()),
        ("flat outputs: 4", own("grades"), "task: ordinal", ()),
        ("flat outputs: 3", own("grades"), 'task: ordinal, loss: "tests.tasks:thresholds"', NO_CHANCE),
        ("pixels", own("mask"), "loss: cross_entropy", ()),
        ("pixels", own("mask with a border"), "loss: cross_entropy", ()),
        ("pixels outputs: 1", own("binary mask"), "loss: bce_with_logits", ()),
        ("pixels outputs: 2", own("mask channels"), "loss: bce_with_logits", ()),
        ("pixels", own("mask"), 'loss: "tests.tasks:cross_entropy"', NO_CHANCE),
    ],
)
def test_a_healthy_model_of_every_task_is_met(
    tmp_path: Path, model: str, data: str, train: str, undecided: frozenset[str]
) -> None:
    found = results(tmp_path, model, data, train)
    wrong = {name: (each.verdict.value, each.reason) for name, each in found.items() if each.verdict != Verdict.MET}
    assert set(wrong) == set(undecided), wrong
    assert {found[name].verdict for name in undecided} <= {Verdict.INCONCLUSIVE, Verdict.ERROR, Verdict.MISSED}


@pytest.mark.parametrize(
    ("model", "data", "train"),
    [
        ("flat outputs: 4", noise(), "task: classification"),
        ("flat outputs: 1", noise(), "loss: bce_with_logits"),
        ("flat outputs: 4", noise(), "task: multilabel"),
        ("flat outputs: 4", noise(), "task: ordinal"),
        ("flat outputs: 3", noise(), "task: ordinal, loss: bce_with_logits"),
        ("flat outputs: 1", noise(), "task: regression"),
        ("pixels", noise(), "task: segmentation"),
        ("pixels outputs: 1", own("binary mask"), "loss: bce_with_logits"),
    ],
)
def test_what_is_not_learnt_is_missed(tmp_path: Path, model: str, data: str, train: str) -> None:
    found = results(tmp_path, model, data, f"{train}, weight_decay: 0, groups: [{{match: [.], lr: 0}}]", NOT_LEARNT)
    assert {name: each.verdict for name, each in found.items()} == dict.fromkeys(found, Verdict.MISSED)


NOT_LEARNT = "overfit_accuracy: 0.99\noverfit_steps: 100\nloss_drop: 0.2\ninput_matters: 0.1"


@pytest.mark.parametrize(("shape", "loss", "chance"), [
    ((2, 3), "cross_entropy", log(3)),
    ((2, 3, 16), "cross_entropy", log(3)),
    ((2, 3, 32, 16), "cross_entropy", log(3)),
    ((2, 5, 4, 8, 16), "cross_entropy", log(5)),
    ((2, 1, 16, 16), "bce_with_logits", log(2)),
    ((2, 7), "bce_with_logits", log(2)),
    ((2, 1), "mse", None),
])  # fmt: skip
def test_classes_are_dimension_one(shape: tuple[int, ...], loss: str, chance: float | None) -> None:
    """Cross-entropy over pixels has the chance level of its classes, not of the width of the image."""
    kind = next(kind for kind in ("classification", "segmentation", "regression") if loss in LOSSES[kind])
    assert named_task("segmentation" if len(shape) > 2 else kind, loss).chance_loss(loss, shape) == chance


ONE, PAIR = torch.zeros(6), torch.tensor([[0.0, 1.0], [1.0, 1.0]]).repeat(3, 1)
CLASSES, MASK = torch.arange(6) % 2, torch.zeros(6, 4, 4, dtype=torch.long)


@pytest.mark.parametrize(("loss", "outputs", "targets", "task"), [
    ("cross_entropy", (6, 2), CLASSES, "classification"),
    ("cross_entropy", (6, 2), PAIR, "classification"),
    ("cross_entropy", (6, 2, 4, 4), MASK, "segmentation"),
    ("bce_with_logits", (6, 2), PAIR, "multilabel"),
    ("bce_with_logits", (6, 2), CLASSES, "classification"),
    ("bce_with_logits", (6, 1), CLASSES, "classification"),
    ("bce_with_logits", (6,), ONE, "classification"),
    ("bce_with_logits", (6, 1, 4, 4), MASK, "segmentation"),
    *((loss, (6, 1), CLASSES, "regression") for loss in LOSSES["regression"]),
    ("own", (6, 2), CLASSES, "classification"),
    ("own", (6, 2), PAIR, "multilabel"),
    ("own", (6, 2), PAIR.long(), "multilabel"),
    ("own", (6, 2), functional.one_hot(CLASSES).float(), "classification"),
    ("own", (6, 2), PAIR * 40, "regression"),
    ("own", (6, 1), torch.linspace(-1, 1, 6), "regression"),
    ("own", (6, 2, 4, 4), MASK, "segmentation"),
    ("own", (6, 2, 4, 4), torch.ones(6, 2, 4, 4), "segmentation"),
    ("own", (6, 1), CLASSES, None),  # a class, a grade or a number
    ("own", (6, 1), ONE, None),
    ("own", (6, 2), CLASSES + 1, None),  # thresholds
    ("own", (6, 2), PAIR / 2, None),
    ("own", (6, 2, 4, 4), torch.rand(6, 4, 4), None),
    ("own", (6, 2, 8, 8), MASK, None),
])  # fmt: skip
def test_a_task_is_seen_only_where_it_is_certain(
    loss: str, outputs: tuple[int, ...], targets: Tensor, task: str | None
) -> None:
    found = task_of(None, loss, torch.zeros(outputs), targets)
    assert (found.name if found else None) == task
    stated = task_of("ordinal", loss, torch.zeros(outputs), targets)
    assert stated is not None
    assert stated.name == "ordinal"


def answer(numbers: list[Any]) -> Tensor:
    return torch.tensor(numbers)


@pytest.mark.parametrize(("task", "loss", "outputs", "targets", "share"), [
    ("classification", "", [[1.0, 2.0], [3.0, 2.0]], [1, 1], 0.5),
    ("classification", "", [[1.0, 2.0], [3.0, 2.0]], [1, -100], 1.0),
    ("classification", "", [[2.0], [-1.0], [3.0]], [1, 0, 0], 2 / 3),
    ("classification", "", [2.0, -1.0], [[1.0], [1.0]], 0.5),
    ("multilabel", "", [[1.0, -1.0], [1.0, 1.0]], [[1.0, 0.0], [1.0, 0.0]], 0.5),
    ("multilabel", "", [[-1.0, -1.0], [-2.0, -1.0]], [[0.0, 0.0], [0.0, 0.1]], 1.0),
    ("ordinal", "mse", [[1.4], [2.6]], [1, 2], 0.5),
    ("ordinal", "cross_entropy", [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]], [1, 2], 0.5),
    ("ordinal", "bce_with_logits", [[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0]], [2, 1, 0], 1.0),
    ("regression", "", [[30.0], [50.0], [70.0]], [31, 50, 80], 2 / 3),
    ("regression", "", [30.5, 50.0], [[31.0], [50.0]], 1.0),
    ("segmentation", "", [[[[1.0, 0.0]], [[0.0, 1.0]]]], [[[0, 1]]], 1.0),
    ("segmentation", "", [[[[1.0, 1.0]], [[0.0, 0.0]]]], [[[0, 1]]], 0.0),
    ("segmentation", "", [[[[1.0, 1.0]], [[0.0, 0.0]]]], [[[0, -100]]], 1.0),
    ("segmentation", "", [[[[1.0, 1.0, -1.0]]]], [[[1, 0, 0]]], 2 / 3),
    ("segmentation", "cross_entropy", [[[[3.0, 1.0]], [[2.0, 2.0]]]], [[[[1.0, 0.0]], [[0.0, 1.0]]]], 1.0),
    ("segmentation", "bce_with_logits", [[[[3.0, 1.0]], [[2.0, 2.0]]]], [[[[1.0, 0.0]], [[0.0, 1.0]]]], 2 / 3),
])  # fmt: skip
def test_what_is_right(task: str, loss: str, outputs: list[Any], targets: list[Any], share: float) -> None:
    right = named_task(task, loss).right(answer(outputs), answer(targets))
    assert right is not None
    assert right.share == pytest.approx(share)


@pytest.mark.parametrize(("task", "outputs", "targets", "said"), [
    ("regression", [[1.0], [2.0]], [3.0, 3.0], "all targets are equal"),
    ("segmentation", [[[[1.0, 1.0]]]], [[[0, 0]]], "no mask of the batch has a pixel"),
    ("segmentation", [[[[1.0, 1.0]], [[0.0, 0.0]]]], [[[0]]], "masks of another shape cannot be compared"),
    ("classification", [[1.0, 2.0]], [-100], "every target is -100"),
])  # fmt: skip
def test_targets_that_anything_is_right_about_prove_nothing(
    task: str, outputs: list[Any], targets: list[Any], said: str
) -> None:
    with pytest.raises(Inconclusive, match=re.escape(said)):
        named_task(task, "").right(answer(outputs), answer(targets))


@pytest.mark.parametrize(
    ("model", "data", "train", "said"),
    [
        ("pixels", own("mask"), "task: classification", "is it segmentation?"),
        ("flat outputs: 4", own("grades"), "task: multilabel", "targets of that shape, 1 for each label"),
        ("flat outputs: 3", own("grades"), "task: ordinal", "grades from 0 to 2"),
        ("flat outputs: 2", own("grades"), "task: ordinal, loss: bce_with_logits", "grades from 0 to 2"),
        ("flat outputs: 1", own("ages"), "task: ordinal, loss: mse", "the task ordinal has grades from 0 as targets"),
        ("flat outputs: 2", own("ages"), "task: regression", "(8, 2), the targets (8,)"),
        ("flat outputs: 4", own("ages"), "loss: mse", "mse needs a target for each output"),
        ("pixels", own("small mask"), "task: segmentation", "the task segmentation has outputs (images, classes, h"),
        ("flat outputs: 4", own("mask"), "task: segmentation", "the task segmentation has outputs (images, classes, h"),
        ("flat outputs: 4", noise(), "task: segmentation", "an output for each pixel, and this one gives (8, 4)"),
        ("flat outputs: 1", noise(), "task: ordinal, loss: mse", "one output does not say how many grades"),
        ("flat outputs: 4", noise(more=", num_classes: 5"), "", "has 5 classes, and the outputs of the model say 4"),
        ("flat outputs: 4", noise(more=", num_classes: 6"), "task: ordinal, loss: bce_with_logits", "has 6 classes, "),
        ("pixels", noise(more=", num_classes: 9"), "task: segmentation", "the batch has 9 classes, and the outputs "),
        ("flat outputs: 3", own("grades"), "loss: bce_with_logits", "takes class numbers from 0 to 2; these go from 0"),
        ("flat outputs: 1", own("grades"), "loss: bce_with_logits", "over 1 output takes targets from 0 to 1"),
        ("flat outputs: 3", own("labels"), "loss: bce_with_logits", "outputs have shape (8, 3), the targets (8, 5)"),
    ],
)  # fmt: skip
def test_outputs_and_targets_that_do_not_belong_together_are_refused(
    tmp_path: Path, model: str, data: str, train: str, said: str
) -> None:
    (result,) = results(tmp_path, model, data, train, "loss_drop: 0.1").values()
    assert (result.verdict, said in result.reason) == (Verdict.ERROR, True), result.reason


@pytest.mark.parametrize(
    ("model", "data", "train", "said"),
    [
        ("flat outputs: 1", own("zero or one"), 'loss: "tests.tasks:squared"', "say it as `train.task`"),
        ("flat outputs: 4", own("grades"), 'loss: "tests.tasks:reversed_classes"', "so that your loss means another"),
        ("flat outputs: 4", own("grades"), 'loss: "tests.tasks:cross_entropy", task: custom', "custom says nothing"),
        ("autoencoder", noise(), "task: self_supervised", "self_supervised says nothing about right answers"),
        ("flat outputs: 1", own("equal"), "loss: mse", "all targets are equal"),
    ],
)
def test_where_nothing_says_what_is_right_there_is_no_verdict(
    tmp_path: Path, model: str, data: str, train: str, said: str
) -> None:
    (result,) = results(tmp_path, model, data, train, "overfit_accuracy: 1.0").values()
    assert (result.verdict, said in result.reason) == (Verdict.INCONCLUSIVE, True), result.reason


@pytest.mark.parametrize("loss", ["tiny", "below_zero"])
def test_a_loss_that_is_low_from_the_start_shows_no_learning(tmp_path: Path, loss: str) -> None:
    train = f'task: custom, loss: "tests.tasks:{loss}"'
    (result,) = results(tmp_path, "flat outputs: 4", own("grades"), train, "overfit_steps: 90").values()
    assert (result.verdict, "custom says nothing" in result.reason) == (Verdict.INCONCLUSIVE, True)


def test_an_age_is_learnt_although_its_loss_is_far_from_zero(tmp_path: Path) -> None:
    """The mean squared error of ages is in squared years: what is learnt is seen in units of their spread."""
    checks = "overfit_accuracy: 1.0\noverfit_steps: 80\noverfit_loss: 0.01"
    found = results(tmp_path, "flat", own("ages"), "loss: mse, groups: [{match: [.], lr: 3e-2}]", checks)
    assert found["overfit_accuracy"].verdict == found["overfit_steps"].verdict == Verdict.MET
    assert found["overfit_accuracy"].observed is not None
    details = found["overfit_accuracy"].observed.details
    assert details["task"] == "regression"
    assert details["R²"][0] > 0.99


def test_an_output_of_small_scale_beside_a_large_one_is_not_learnt(tmp_path: Path) -> None:
    found = results(tmp_path, "flat outputs: 2", own("pairs"), "loss: mse", "overfit_accuracy: 1.0")["overfit_accuracy"]
    assert found.verdict == Verdict.MISSED


@pytest.mark.parametrize("task", ["multilabel", "regression", "segmentation", "self_supervised"])
def test_labels_that_are_no_class_numbers_are_not_counted_as_such(task: str, tmp_path: Path) -> None:
    dataset = imagefolder(ImageFolder(root="."), healthy(tmp_path))
    with pytest.raises(Inconclusive, match=f"the labels of the task {task} are no class numbers"):
        labels(dataset, None, task=task, num_classes=2)


def test_what_a_loss_leaves_out_weighs_nothing_in_a_micro_batch() -> None:
    """Torch divides by the pixels that count, so that a plain mean over micro-batches would be another loss."""
    inputs, mask = tasks.batch("mask")
    mask[:4, :6] = -100
    gradients = []
    for parts in (1, 4):
        torch.manual_seed(0)
        model = tasks.pixels()
        trainer = TrainerMaker(Recipe(accumulation=parts)).on(model, Batch(inputs, mask))
        gradients.append([trainer.finite_backward(), *(p.grad.norm().item() for p in model.parameters())])  # type: ignore[union-attr]
    assert gradients[0] == pytest.approx(gradients[1], rel=1e-4)
    with pytest.raises(SubjectError, match="every target of the batch is -100"):
        TrainerMaker(Recipe()).on(tasks.pixels(), Batch(inputs, torch.full_like(mask, -100))).finite_backward()


def test_a_loss_of_ones_own_gets_all_outputs(tmp_path: Path) -> None:
    """What the model returns is not cut down to the logits, neither where they are unclear nor where they are named."""
    head = """\
model: {{factory: "tests.tasks:TwoHeads"{output}}}
data: {{synthetic: {{input_size: [3, 8, 8], num_classes: 4}}}}
train: {{steps: 20, lr: 1e-2, loss: "tests.tasks:{loss}"}}
run: {{device: cpu}}
"""
    seen = []
    for output, loss in (("", "two_heads"), ("", "both_heads"), (", output: 1", "both_heads")):
        found = run_here(spec_in(tmp_path, "loss_drop: 0.5\ndead_gradients: 0", head.format(output=output, loss=loss)))
        assert {each.verdict for each in found.values()} == {Verdict.MET}
        seen.append(found["loss_drop"].observed.value if found["loss_drop"].observed else None)
    assert len(set(seen)) == 1


@pytest.mark.parametrize(("train", "said"), [
    ("task: regression, loss: cross_entropy", "train.loss is cross_entropy, and the task regression takes mse, l1"),
    ("task: multilabel, loss: cross_entropy", "takes bce_with_logits, or a function of yours"),
    ("task: custom", "the task custom takes a function of yours, `loss: package.module:callable`, or a `step`"),
    ("task: segmentaton", "did you mean 'segmentation'?"),
    ("loss: rmse", "the text 'rmse' does not fit; write it like cross_entropy, bce_with_logits, mse"),
])  # fmt: skip
def test_a_loss_that_does_not_go_with_the_task_is_refused(tmp_path: Path, train: str, said: str) -> None:
    head = f'model: {{factory: "a:b"}}\ntrain: {{{train}}}'
    with pytest.raises(SpecError, match=re.escape(said)):
        prepare(spec_in(tmp_path, "loss_drop: 0.1", head), entry_points=False)


def test_a_task_brings_its_loss(tmp_path: Path) -> None:
    for task, losses in LOSSES.items():
        if losses:
            spec = spec_in(tmp_path, "loss_drop: 0.1", f'model: {{factory: "a:b"}}\ntrain: {{task: {task}}}')
            assert prepare(spec, entry_points=False)[0].spec.train.loss == losses[0]


def test_a_training_of_ones_own_may_name_its_task_too(tmp_path: Path) -> None:
    spec = spec_in(tmp_path, "overfit_accuracy: 1.0", "train: {script: train.py, task: multilabel}")
    assert prepare(spec, entry_points=False)[0].spec.train.task == "multilabel"
