"""A limit from several seeds is missed as often as it says, and says when nothing is known of that."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from retspec.records import Direction
from retspec.review.calibration.false_alarms import from_seeds, seeds_for
from retspec.statistics.tolerance import tolerance_factor
from tests.review.calibration.test_calibrate import HEAD

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.review.calibration.conftest import Calibrated

    Calibrate = Callable[..., Calibrated]

pytestmark = pytest.mark.usefixtures("unmeasured_programs")

TEN = [0.58, 0.6, 0.62, 0.59, 0.61, 0.6, 0.63, 0.57, 0.6, 0.6]
ONE = ("--false-alarm", "1%")
NORMAL = "chance of a false alarm at most 1% a seed, by the normal tolerance limit of 10 seeds, 95% confidence"


@pytest.mark.parametrize(
    ("count", "share", "confidence", "factor"),
    [(10, 0.01, 0.95, 3.981), (5, 0.01, 0.95, 5.741), (10, 0.05, 0.95, 2.911), (43, 0.1, 0.99, 1.874)],
)
def test_factors_are_those_of_the_tables(count: int, share: float, confidence: float, factor: float) -> None:
    assert tolerance_factor(count, share, confidence) == pytest.approx(factor, abs=6e-4)


@pytest.mark.parametrize("direction", [Direction.AT_MOST, Direction.AT_LEAST])
def test_of_normal_values_so_many_miss_the_limit_at_most_in_95_of_100_calibrations(direction: Direction) -> None:
    draws, held = random.Random(0), 0  # noqa: S311 - no secret
    for _ in range(400):
        values = [draws.gauss(10, 1) for _ in range(10)]
        limit = float(from_seeds(values, direction, Decimal(0), Decimal("0.05"), is_count=False).limit)
        again = [draws.gauss(10, 1) for _ in range(1000)]
        held += sum(direction.is_stricter(limit, value) for value in again) / len(again) <= 0.05
    assert 0.93 <= held / 400 <= 1  # rounding makes it looser


def test_whatever_the_values_are_drawn_from_the_next_is_the_worst_in_one_of_k_plus_one_cases() -> None:
    draws, missed = random.Random(0), 0  # noqa: S311 - no secret
    for _ in range(4000):
        values = [draws.paretovariate(1.5) for _ in range(19)]
        found = from_seeds(values, Direction.AT_MOST, Decimal(0), Decimal("0.05"), is_count=False)
        missed += draws.paretovariate(1.5) > found.limit
        assert found.chance == "chance of a false alarm at most 5% a seed, by the worst of 19 seeds"
    assert 0.03 < missed / 4000 <= 0.055


@pytest.mark.parametrize(("percent", "seeds"), [("1", 99), ("5", 19), ("10", 9), ("50", 1)])
def test_how_many_seeds_it_takes_without_a_distribution(percent: str, seeds: int) -> None:
    assert seeds_for(Decimal(percent) / 100) == seeds


def test_the_limit_says_its_chance_in_a_comment_and_in_the_summary(calibrated: Calibrate) -> None:
    finished = calibrated(f"{HEAD}  least: 0.1\n", {"least": TEN}, *ONE)
    assert finished.text == f"{HEAD}  least: 0.52  # {NORMAL}\n"
    assert f"least: {NORMAL}\n" in finished.out
    assert (
        "these chances hold for values that are normal; without that, 1% takes 99 seeds, and there are 10"
        in finished.out
    )


def test_a_comment_is_renewed_and_goes_with_a_limit_without_a_chance(calibrated: Calibrate) -> None:
    text = f"{HEAD}  least: 0.1  # chance of a false alarm at most 50% a seed, by a guess\n  most: 3  # MB\n"
    finished = calibrated(text, {"least": TEN, "most": TEN}, *ONE)
    assert finished.text == f"{HEAD}  least: 0.52  # {NORMAL}\n  most: 0.68  # MB\n"
    assert calibrated(text, {"least": 0.6, "most": 0.6}).text == f"{HEAD}  least: 0.48\n  most: 0.72  # MB\n"


def test_the_long_form_has_the_comment_where_there_is_room(calibrated: Calibrate) -> None:
    text = f"{HEAD}  least:\n    limit: 0.1\n    tags: [a]\n  most: {{limit: 3, tags: [a]}}\n"
    finished = calibrated(text, {"least": TEN, "most": TEN}, *ONE)
    assert finished.text == text.replace("limit: 0.1", f"limit: 0.52  # {NORMAL}").replace("limit: 3", "limit: 0.68")


def test_without_a_chance_the_margin_is_on_top_of_the_worst(calibrated: Calibrate) -> None:
    finished = calibrated(f"{HEAD}  most: 3\n", {"most": TEN})
    assert finished.text == (
        f"{HEAD}  most: 0.76  # chance of a false alarm at most 9.1% a seed, by the worst of 10 seeds\n"
    )


def test_values_that_do_not_differ_get_the_margin_and_no_chance(calibrated: Calibrate) -> None:
    assert calibrated(f"{HEAD}  most: 3\n", {"most": [0.6] * 10}, *ONE).text == f"{HEAD}  most: 0.72\n"


def test_counts_are_not_normal(calibrated: Calibrate) -> None:
    finished = calibrated(f"{HEAD}  most_count: 90\n", {"most_count": [*range(10)]}, *ONE)
    assert finished.text == f"{HEAD}  most_count: 90\n"
    assert "counts are not normal" in finished.out
    enough = calibrated(f"{HEAD}  most_count: 90\n", {"most_count": [*range(10)]}, "--false-alarm", "10%")
    assert enough.text == (
        f"{HEAD}  most_count: 9  # chance of a false alarm at most 10% a seed, by the worst of 10 seeds\n"
    )


def test_noise_as_large_as_the_value_gives_no_limit(calibrated: Calibrate) -> None:
    finished = calibrated(f"{HEAD}  least: 1e-9\n", {"least": [0.1, 0.2, 0.3]}, *ONE)
    assert finished.text == f"{HEAD}  least: 1e-9\n"
    assert "its noise is as large as its value" in finished.out


def test_a_limit_with_more_false_alarms_is_named_and_loosened_when_told_to(calibrated: Calibrate) -> None:
    text = f"{HEAD}  least: 0.56\n"
    finished = calibrated(text, {"least": TEN}, *ONE)
    assert finished.text == text
    assert finished.reason("least") == "stricter than 0.52: more false alarms; see --loosen"
    assert "least: 0.52  #" in calibrated(text, {"least": TEN}, *ONE, "--loosen").text


def test_an_exact_value_that_differs_has_no_limit(calibrated: Calibrate) -> None:
    finished = calibrated(f"{HEAD}  word: int8\n", {"word": ["a", "b", "a"]}, "--loosen")
    assert finished.reason("word") == "it differs with the seed"


def test_one_value_says_nothing_about_noise(calibrated: Calibrate) -> None:
    finished = calibrated(f"{HEAD}  least: 0.1\n", {"least": 0.6}, *ONE)
    assert finished.code == 2
    assert "--false-alarm needs observations under 3 seeds at least" in finished.err


@pytest.mark.parametrize("chance", ["0%", "0.0%", "1", "100%"])
def test_what_is_no_chance_is_refused(calibrated: Calibrate, chance: str) -> None:
    assert calibrated(f"{HEAD}  least: 0.1\n", {"least": TEN}, "--false-alarm", chance).code == 2
