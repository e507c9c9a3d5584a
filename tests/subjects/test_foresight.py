"""What is foreseen without weights is what real tensors take, to the byte, and what two traces predict is true."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

import pytest
import timm
import torch
from peft import LoraConfig, get_peft_model

from retspec.measurements.foresight import step_flops
from retspec.measurements.memory import memory
from retspec.records import Recipe
from retspec.subjects.data.batch import Batch
from retspec.subjects.memory.dry_run import BatchShape, DryRun
from retspec.subjects.memory.foresight import CUDA_WORKSPACES, Foresight
from retspec.subjects.models.skeleton import Skeleton, hollow, on_meta
from retspec.subjects.models.structure import fully_trained, set_grad_checkpointing
from retspec.subjects.training.making import TrainerMaker
from tests.tiny import base, vit
from tests.tiny_between import compares_images, plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import nn


@pytest.fixture(scope="module", autouse=True)
def collector() -> Iterator[None]:
    """The measurement of real memory collects garbage after every step: let it not walk the libraries each time."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


def batch(size: int, side: int = 32) -> Batch:
    return Batch(torch.zeros(size, 3, side, side), torch.arange(size) % 3)


SHAPE = BatchShape.of(batch(1))


def vit_tiny(*, lora: bool, checkpointed: bool) -> nn.Module:
    model = timm.create_model("vit_tiny_patch16_224", img_size=64, num_classes=3, depth=2)
    if checkpointed:
        set_grad_checkpointing(model)
    config = LoraConfig(r=8, target_modules=["qkv"], modules_to_save=["head"])
    return get_peft_model(model, config) if lora else model


def foresight(model: nn.Module, target: str = "cpu", **recipe: Any) -> Foresight:
    return Foresight(hollow(model, on_meta), SHAPE, TrainerMaker(Recipe(**recipe)), target=target)


@pytest.mark.parametrize("checkpointed", [False, True], ids=["kept", "checkpointed"])
@pytest.mark.parametrize("lora", [True, False], ids=["lora", "full"])
@pytest.mark.parametrize(
    ("size", "recipe"),
    [
        (2, Recipe()),
        (2, Recipe(amp="bfloat16")),
        (8, Recipe(amp="float16", optimizer="sgd", momentum=0.9, accumulation=3)),
        (2, Recipe(optimizer="adam")),
        (2, Recipe(optimizer="adafactor")),
        (2, Recipe(optimizer={"name": "rmsprop", "momentum": 0.9, "centered": True})),
    ],
    ids=["float32", "bfloat16", "float16-sgd-accumulated", "adam", "adafactor", "rmsprop"],
)
def test_the_estimate_is_what_real_tensors_take(size: int, recipe: Recipe, *, lora: bool, checkpointed: bool) -> None:
    model, real = vit_tiny(lora=lora, checkpointed=checkpointed), batch(size, side=64)
    measured = memory.function(model, real, TrainerMaker(recipe), lambda *_: None, iterations=2)
    dry = Foresight(hollow(model, on_meta), BatchShape.of(real), TrainerMaker(recipe), target="cpu")
    assert dry.estimate(size).peak == measured.peak == max(dry.course(size))


@pytest.mark.parametrize("amp", ["none", "bfloat16"])
@pytest.mark.parametrize("make", [vit, base])
def test_two_courses_foretell_every_other(make: Any, amp: str) -> None:
    run = DryRun(hollow(make(), on_meta), SHAPE, TrainerMaker(Recipe(amp=amp)))
    first, second = run.trace(2), run.trace(3)
    for size in (4, 7, 64):
        assert first.at(size, second) == run.trace(size)


def test_courses_of_different_ways_foretell_nothing() -> None:
    """Half the micro-batches hold one image, and a tensor of one row needs no copy to lie in one piece."""
    run = DryRun(hollow(base(), on_meta), SHAPE, TrainerMaker(Recipe(accumulation=2)))
    assert run.trace(2).at(8, run.trace(4)) is None


@pytest.mark.parametrize("target", ["cpu", "cuda"])
@pytest.mark.parametrize(("make", "accumulation"), [(vit, 1), (plain, 2), (compares_images, 1)])
def test_the_largest_batch_fits_and_the_next_does_not(make: Any, accumulation: int, target: str) -> None:
    """Even where memory grows with the square of the batch, and two traces predict the wrong thing."""
    model = make()
    room = foresight(model, target).estimate(2000).peak
    largest = foresight(model, target, accumulation=accumulation).largest(room)
    tried = foresight(model, target, accumulation=accumulation)
    assert largest >= 1990
    assert tried.estimate(largest).peak <= room < tried.estimate(largest + accumulation).peak


def test_nothing_fits_in_less_than_the_weights() -> None:
    assert foresight(vit()).largest(1000) == 0


def test_the_parts_are_what_they_are_called() -> None:
    model = vit()
    trained = sum(p.nbytes for p in model.parameters() if p.requires_grad)
    tensors = sum(1 for p in model.parameters() if p.requires_grad)
    found = foresight(model).estimate(6)
    assert sum(found.parts.values()) == found.peak
    assert found.parts["parameters and buffers"] == sum(p.nbytes for p in model.parameters())
    assert found.parts["optimizer state"] == 2 * trained + 4 * tensors
    assert found.parts["batch"] == batch(6).inputs.nbytes + batch(6).targets.nbytes
    assert foresight(model, optimizer="sgd").estimate(6).parts["optimizer state"] == 0


def test_gradients_fill_the_peak_of_full_fine_tuning() -> None:
    model = base()
    weights = sum(parameter.nbytes for parameter in model.parameters())
    assert foresight(model, optimizer="sgd").estimate(1).parts["gradients"] == pytest.approx(weights, rel=0.5)


def test_cuda_rounds_up_and_updates_all_parameters_at_once() -> None:
    model = base()
    on_cpu, on_cuda = (foresight(model, target).estimate(1) for target in ("cpu", "cuda"))
    weights = sum(parameter.nbytes for parameter in model.parameters())
    assert on_cuda.peak % 512 == 0
    assert on_cuda.peak == max(foresight(model, "cuda").course(1))
    assert on_cuda.parts["cuBLAS workspaces"] == CUDA_WORKSPACES
    assert on_cuda.peak - CUDA_WORKSPACES > on_cpu.peak + 0.5 * weights


def test_full_fine_tuning_is_the_model_without_its_adapter() -> None:
    model = fully_trained(hollow(vit(), on_meta))
    assert [name for name, _ in model.named_parameters()] == [name for name, _ in base().named_parameters()]
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_the_operations_of_linear_layers_are_those_counted_by_hand() -> None:
    """The first layer needs no gradient of its input, the head needs both: 2 operations per weight and image each."""
    found = step_flops.function(Skeleton(hollow(plain(), on_meta), plain), batch(5), TrainerMaker(Recipe()))
    embedding, head = 3 * 32 * 32 * 16, 16 * 3
    assert found.forward == 2 * 5 * (embedding + head)
    assert found.backward == 2 * 5 * (embedding + 2 * head)
