"""The checks that measure time, on recorded facts: no test waits for a clock."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from retspec.checks.data.max_augmentation_overhead import max_augmentation_overhead
from retspec.checks.data.max_data_wait import max_data_wait
from retspec.checks.data.max_transform_ms import max_transform_ms
from retspec.checks.data.min_loader_throughput import min_loader_throughput
from retspec.checks.learning.min_throughput import min_throughput
from retspec.checks.learning.step_time_ms import step_time_ms
from retspec.checks.numerics.min_compile_speedup import min_compile_speedup
from retspec.errors import Inconclusive, SubjectError
from retspec.facts import (
    Compilation,
    DataWait,
    Loader,
    Operator,
    Profile,
    Stage,
    Stages,
    Throughput,
    Training,
)

PROFILE = Profile((Operator("aten::addmm", 3.21, 24),))
STEADY = (0.9, 0.5, *(0.1 + 0.001 * step for step in range(10)))
SCATTERED = (0.9, 0.5, *(0.1, 0.3) * 5)


def training(*seconds: float, batch_size: int = 4) -> Training:
    return Training(
        steps=len(seconds),
        losses=(1.0,) * len(seconds),
        nonfinite_loss_at=None,
        nonfinite_operation="",
        gradients=(),
        drifted=(),
        chance_loss=None,
        seconds=seconds,
        batch_size=batch_size,
        skipped=None,
    )


def compilation(eager: tuple[float, ...], compiled: tuple[float, ...]) -> Compilation:
    return Compilation("inductor", 0.0, 1.0, eager, compiled)


def test_step_time_is_the_median_after_the_warm_up() -> None:
    observed = step_time_ms(training(*STEADY), PROFILE)
    assert observed.value == pytest.approx(104.5)
    assert observed.details["n"] == 10
    assert observed.details["dearest operators"] == ["aten::addmm: 3.21 ms in 24 calls"]


def test_throughput_is_images_per_step_over_that_median() -> None:
    assert min_throughput(training(*STEADY, batch_size=8)).value == pytest.approx(8 / 0.1045)


@pytest.mark.parametrize("steps", [SCATTERED, STEADY[:6]], ids=["scattered", "few"])
def test_what_has_no_meaningful_median_has_no_verdict(steps: tuple[float, ...]) -> None:
    with pytest.raises(Inconclusive, match=r"scatter too widely|too few"):
        step_time_ms(training(*steps), PROFILE)
    with pytest.raises(Inconclusive, match=r"scatter too widely|too few"):
        min_throughput(training(*steps))


def test_speedup_is_the_ratio_of_the_medians() -> None:
    observed = min_compile_speedup(compilation((0.2,) * 7, (0.1,) * 7))
    assert observed.value == pytest.approx(2.0)


def test_speedup_of_scattered_passes_has_no_verdict() -> None:
    with pytest.raises(Inconclusive, match="scatter too widely"):
        min_compile_speedup(compilation((0.2,) * 7, (0.1, 0.1, 0.1, 0.3, 0.3, 0.3, 0.3)))


# Data ---------------------------------------------------------------------------------------------

EVEN = (1.0, 0.98, 1.02, 1.0, 1.0, 0.99, 1.01)
UNEVEN = (1.0, 0.2, 1.9, 0.3, 1.0, 1.8, 0.4)


def times(seconds: float, pattern: tuple[float, ...] = EVEN) -> tuple[float, ...]:
    return tuple(seconds * part for part in pattern)


def loader(*sweep: tuple[int, float], one_process: str = "", pattern: tuple[float, ...] = EVEN) -> Loader:
    rounds = [Throughput(workers, (100,) * 7, times(100 / rate, pattern)) for workers, rate in sweep]
    return Loader(4, tuple(rounds), one_process)


def stages(augment: float | None, *, pattern: tuple[float, ...] = EVEN) -> Stages:
    def steps(cost: float) -> tuple[Stage, ...]:
        return Stage("Resize", times(0.003, pattern)), Stage("ToTensor", times(0.001)), Stage("Jitter", times(cost))

    augmenting = () if augment is None else steps(augment)
    return Stages(Stage("decoding", times(0.01)), steps(0.0)[:2], augmenting)


def test_throughput_is_that_of_the_best_number_of_workers_and_the_fewest_that_do_are_recommended() -> None:
    observed = min_loader_throughput(loader((0, 50.0), (2, 95.0), (4, 100.0), (8, 60.0)))
    assert observed.value == pytest.approx(100)
    assert observed.details["recommended workers"] == "2"
    assert observed.details["images/s by workers"] == pytest.approx({"0": 50, "2": 95, "4": 100, "8": 60})


def test_where_workers_never_pay_none_is_recommended_with_the_reason() -> None:
    observed = min_loader_throughput(loader((0, 50.0), one_process="macOS"))
    assert observed.details["recommended workers"] == "0: macOS"


def test_throughput_is_judged_on_the_rounds_that_are_steady_and_on_no_other() -> None:
    mixed = Loader(4, loader((0, 50.0)).sweep + loader((2, 500.0), pattern=UNEVEN).sweep, "")
    assert min_loader_throughput(mixed).value == pytest.approx(50)
    with pytest.raises(Inconclusive, match="the rounds with 2 workers scatter too widely"):
        min_loader_throughput(loader((2, 500.0), pattern=UNEVEN))


def test_a_loader_that_is_given_counts_as_it_is_and_others_are_recommended() -> None:
    given = replace(loader((8, 60.0), (0, 50.0), (2, 95.0)), given=8, pinning=("It pins nothing.",))
    observed = min_loader_throughput(given)
    assert observed.value == pytest.approx(60)
    assert (observed.details["workers as given"], observed.details["recommended workers"]) == (8, "2")
    assert observed.details["pin_memory"] == ["It pins nothing."]
    doubtful = replace(given, sweep=(*loader((8, 60.0), pattern=UNEVEN).sweep, *loader((2, 95.0)).sweep))
    with pytest.raises(Inconclusive, match="the rounds with 8 workers scatter too widely"):
        min_loader_throughput(doubtful)


def test_a_smaller_batch_at_the_end_of_an_epoch_is_no_scatter() -> None:
    rounds = Throughput(0, (10, 6, 10, 10, 6, 10, 10), tuple(0.1 * n for n in (10, 6, 10, 10, 6, 10, 10)))
    assert min_loader_throughput(Loader(4, (rounds,), "")).value == pytest.approx(10)


def test_data_wait_is_the_share_of_waiting_in_the_whole_step() -> None:
    assert max_data_wait(DataWait(2, times(0.1), times(0.3))).value == pytest.approx(0.25)
    assert max_data_wait(DataWait(2, (0.0,) * 7, times(0.3))).value == 0
    assert max_data_wait(DataWait(2, times(0.1), times(0.3), ("No.",))).details["pin_memory"] == ["No."]


def test_waiting_in_bursts_is_no_scatter_as_long_as_rounds_take_the_same_time() -> None:
    waited = (0.1, 0.3, 0.1, 0.3, 0.1, 0.3, 0.1)
    observed = max_data_wait(DataWait(2, waited, tuple(1 - each for each in waited)))
    assert observed.value == pytest.approx(0.1)
    with pytest.raises(Inconclusive, match="scatter too widely"):
        max_data_wait(DataWait(2, times(0.1, UNEVEN), times(0.3, UNEVEN)))


def test_augmentation_is_what_the_training_transform_takes_longer() -> None:
    observed = max_augmentation_overhead(stages(augment=0.006))
    assert observed.value == pytest.approx(0.006 / (0.01 + 0.01), rel=0.05)
    assert observed.details["steps of train_transform"] == ["Jitter: 6 ms", "Resize: 3 ms", "ToTensor: 1 ms"]


def test_augmentation_needs_a_transform_that_augments() -> None:
    with pytest.raises(SubjectError, match="add `train_transform`"):
        max_augmentation_overhead(stages(augment=None))


@pytest.mark.parametrize(("augment", "slowest", "value"), [(None, "Resize", 3), (0.006, "Jitter", 6)])
def test_the_slowest_step_is_named(augment: float | None, slowest: str, value: float) -> None:
    observed = max_transform_ms(stages(augment))
    assert (observed.value, observed.details["slowest"]) == (pytest.approx(value), slowest)


def test_steps_that_scatter_have_no_verdict() -> None:
    scattered = stages(augment=None, pattern=UNEVEN)
    with pytest.raises(Inconclusive, match="the rounds of Resize scatter too widely"):
        max_transform_ms(scattered)
