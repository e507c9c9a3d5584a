"""The checks on data, on recorded facts: what the number is made of, and what the details tell beyond it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from retspec.checks.data.class_map_mismatch import class_map_mismatch
from retspec.checks.data.duplicate_images import duplicate_images
from retspec.checks.data.input_size import input_size
from retspec.checks.data.max_class_imbalance import max_class_imbalance
from retspec.checks.data.normalization_atol import normalization_atol
from retspec.checks.data.split_leakage import split_leakage
from retspec.errors import SpecError, SubjectError
from retspec.facts import Copy, Expectations, Images, Pipeline, SharedGroup, Splits
from retspec.records import Verdict
from tests.here import run_here
from tests.photos import healthy

if TYPE_CHECKING:
    from pathlib import Path

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
SILENT = Expectations(None, None, None, from_file=False, are_followed=False)


def splits(**facts: Any) -> Splits:
    names = {"0": 0, "1": 1}
    counts = {"train": {"0": 1, "1": 1}, "val": {"0": 1, "1": 1}}
    known = {"counts": counts, "classes": {"train": names, "val": names}, "listed": {"train": 2, "val": 2}, "files": 4}
    known |= {
        "absent": 0,
        "missing": (),
        "near": {},
        "shared_groups": (),
        "has_groups": False,
        "eyes": None,
        "notes": (),
    }
    return Splits(**{**known, **facts})


def pipeline(**facts: Any) -> Pipeline:
    known = {"output_size": (3, 224, 224), "mean": IMAGENET_MEAN, "std": IMAGENET_STD}
    return Pipeline(**{**known, "keeps_aspect": True, "cropped": 0.875, "interpolation": "bicubic", **facts})


def test_class_weights_balance_the_loss() -> None:
    """APTOS: weight times images is the same for every class, and the weights leave the mean loss as it is."""
    aptos = {"none": 1805, "mild": 370, "moderate": 999, "severe": 193, "proliferative": 295}
    observed = max_class_imbalance(splits(counts={"train": aptos}))
    assert observed.value == pytest.approx(9.35, abs=0.01)
    weights = observed.details["class weights"]
    assert [weights[name] * count for name, count in aptos.items()] == pytest.approx([3662 / 5] * 5, rel=2e-3)


def test_copies_under_another_label_are_told_apart() -> None:
    same = (Copy("train", "a/1.jpg", "a"), Copy("val", "a/2.jpg", "a"), Copy("val", "a/3.jpg", "a"))
    other = (Copy("train", "a/4.jpg", "a"), Copy("train", "b/4.jpg", "b"))
    observed = duplicate_images(Images(9, 9, (), (same, other)))
    assert observed.value == 3
    assert observed.details["in different classes"] == ["a/4.jpg (a) = b/4.jpg (b)"]
    assert observed.details["identical"] == ["a/1.jpg = a/2.jpg = a/3.jpg", "a/4.jpg = b/4.jpg"]


def test_what_could_not_be_read_leaves_a_met_limit_alone_without_a_verdict() -> None:
    """The judge takes back a limit that is met; a copy that was found is one, however much was not read."""
    same = (Copy("train", "1.jpg", "a"), Copy("val", "2.jpg", "a"))
    for check in (duplicate_images, partial(split_leakage, splits())):
        assert check(Images(4, 4, (), ())).unseen == ""
        few = check(Images(4, 1, (), (same,)))
        assert (few.value, few.details["read"]) == (1, "1 of 4")
        assert few.unseen.startswith("1 of 4 listed files could be read")
    empty = split_leakage(splits(listed={"train": 2, "val": 0}), Images(2, 2, (), ()))
    assert empty.unseen == "val lists no image"


def test_a_leak_is_an_image_or_a_group_in_two_splits_however_often_it_is_there() -> None:
    across = (Copy("train", "1.jpg", "a"), Copy("val", "2.jpg", "a"), Copy("val", "3.jpg", "a"))
    within = (Copy("train", "4.jpg", "a"), Copy("train", "5.jpg", "a"))
    groups = (SharedGroup("patient 7", ("train", "val")),)
    observed = split_leakage(splits(shared_groups=groups, has_groups=True), Images(9, 9, (), (across, within)))
    assert observed.value == 2
    assert observed.details["images"] == ["1.jpg (train) = 2.jpg (val) = 3.jpg (val)"]
    assert observed.details["groups"] == ["patient 7 in train, val"]
    assert "no `group`" in split_leakage(splits(), Images(9, 9, (), ())).details["compared by"]


@pytest.mark.parametrize(
    ("names", "order"),
    [
        (["1", "10", "2"], "'10' comes before '2'"),
        (["0.0.Normal", "10.1.Other", "2.0.Drusen"], "'10.1.Other' comes before '2.0.Drusen'"),
        (["anodr", "bmilddr", "cmoderatedr"], "as the names say"),
        (["01", "02", "10"], "as the names say"),
        (["No DR", "mild", "x2y10", "x2y9"], "'x2y10' comes before 'x2y9'"),
    ],
)
def test_an_order_that_is_not_that_of_the_numbers_is_told_and_does_not_count(names: list[str], order: str) -> None:
    classes = {name: label for label, name in enumerate(names)}
    observed = class_map_mismatch(splits(classes={"train": classes, "val": classes}))
    assert (observed.value, observed.details["order"]) == (0, order)


def test_a_folder_that_is_missing_shifts_those_after_it_alone() -> None:
    classes = {"train": {"a": 0, "b": 1, "c": 2}, "val": {"a": 0, "c": 1}}
    observed = class_map_mismatch(splits(classes=classes))
    assert observed.value == 2
    assert observed.details["classes"] == ["b: 1 in train, not in val", "c: 2 in train, 1 in val"]


def test_the_worst_channel_of_mean_or_std_counts() -> None:
    found = pipeline(mean=(0.485, 0.456, 0.5), std=(0.229, 0.224, 0.2))
    observed = normalization_atol(found, SILENT, mean=[*IMAGENET_MEAN], std=[*IMAGENET_STD])
    assert observed.value == pytest.approx(0.094)
    only_std = normalization_atol(pipeline(std=(0.5,) * 3), SILENT, mean=[*IMAGENET_MEAN], std=[*IMAGENET_STD])
    assert only_std.value == pytest.approx(0.276)


def test_one_number_stands_for_all_channels_and_two_for_none() -> None:
    assert normalization_atol(pipeline(mean=(0.5,) * 3, std=(0.5,) * 3), SILENT, mean=[0.5], std=[0.5]).value == 0
    with pytest.raises(SubjectError, match="mean is given for 2 channels, and 3 come out"):
        normalization_atol(pipeline(), SILENT, mean=[0.5, 0.5], std=[0.5])


def test_a_model_that_tells_is_the_yardstick_of_what_the_spec_leaves_out() -> None:
    told = Expectations((3, 384, 384), (0.5,) * 3, (0.5,) * 3, from_file=False, are_followed=False)
    assert normalization_atol(pipeline(), told).value == pytest.approx(0.276)
    assert input_size(pipeline(), told).value is False
    assert input_size(pipeline(output_size=(3, 384, 384)), told).value is True
    assert input_size(pipeline(), told, size=[3, 224, 224]).value is True


FED = """\
retspec: 1
model: {factory: "tests.tiny:convnet"}
data:
  imagefolder: {root: photos}
  batch_size: 3
  transform: {input_size: [3, 32, 32], mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5]}
  train_transform: "tests.photos:augmenting32"
run: {device: cpu}
checks:
  loss_drop: 0.0
  output_shape: [3, 3]
  min_loader_throughput: {limit: 1, with: {workers: [0]}}
  max_data_wait: {limit: 0.9999, with: {workers: 0}}
  max_augmentation_overhead: 0.9999
  max_transform_ms: {limit: 1000, with: {images: 2}}
"""


GIVEN = """\
retspec: 1
data: {factory: "tests.tiny:loader"}
run: {device: cpu}
checks: {min_loader_throughput: {limit: 1, with: {workers: [0]}}}
"""


def test_a_loader_needs_neither_files_nor_a_model(tmp_path: Path) -> None:
    spec = tmp_path / "given.yaml"
    spec.write_text(GIVEN)
    (result,) = run_here(spec).values()
    assert result.verdict is Verdict.MET or "scatter too widely" in result.reason, result.reason
    (refused,) = run_here(spec, ["data.factory=tests.tiny:batch"]).values()
    assert refused.reason.endswith("needs batch after batch, and `factory` gave a single one; let it give a DataLoader")
    with pytest.raises(
        SpecError, match="use `csv:` or `datasets:` or `imagefolder:` or `webdataset:` there, or a DataLoader of yours"
    ):
        run_here(spec, ["data={synthetic: {}}"])


def test_a_spec_trains_on_images_and_times_how_they_come(tmp_path: Path) -> None:
    """How steady the clock of this machine is decides between met and inconclusive, and nothing else may happen."""
    healthy(tmp_path / "photos")
    spec = tmp_path / "fed.yaml"
    spec.write_text(FED)
    results = run_here(spec)
    assert [results[name].verdict for name in ("loss_drop", "output_shape")] == [Verdict.MET] * 2
    timed = {name: result for name, result in results.items() if name.startswith(("min_", "max_"))}
    assert len(timed) == 4
    for result in timed.values():
        assert result.verdict is Verdict.MET or "scatter too widely" in result.reason, result.reason
