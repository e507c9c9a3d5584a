"""The checks that measure time, on recorded facts: no test waits for a clock."""

from __future__ import annotations

import pytest

from retspec.checks.learning.speed import min_throughput, step_time_ms
from retspec.checks.numerics.compilation import min_compile_speedup
from retspec.errors import Inconclusive
from retspec.facts import Compilation, Operator, Profile, Training

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
