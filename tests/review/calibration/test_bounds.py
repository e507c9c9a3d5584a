"""A limit that was made from an observation is met by it, leaves the margin, and is short."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retspec.records import Direction
from retspec.review.calibration.bounds import bound
from retspec.review.calibration.yaml_edit import LeftAlone, spelled
from retspec.spec.load.scalars import scalar_of

FINITE = st.floats(min_value=-1e300, max_value=1e300).filter(lambda value: abs(value) > 1e-300)
COUNTS = st.integers(min_value=-(10**17), max_value=10**17).filter(bool)
MARGINS = st.decimals(min_value=0, max_value=Decimal("0.99"), places=2)
SIDES = st.sampled_from([Direction.AT_MOST, Direction.AT_LEAST])


@given(value=FINITE, direction=SIDES, margin=MARGINS)
def test_the_limit_is_never_stricter_than_the_observation_with_its_margin(
    value: float, direction: Direction, margin: Decimal
) -> None:
    limit = bound(value, direction, margin, is_count=False)
    exact = Decimal(str(value))
    wanted = exact + abs(exact) * margin * (1 if direction is Direction.AT_MOST else -1)
    assert limit >= wanted if direction is Direction.AT_MOST else limit <= wanted
    read = scalar_of(spelled(limit))
    assert isinstance(read, int | float)
    assert not direction.is_stricter(read, value)


@given(value=FINITE, direction=SIDES, margin=MARGINS)
def test_it_has_two_digits_and_is_no_further_off_than_rounding_takes_it(
    value: float, direction: Direction, margin: Decimal
) -> None:
    limit = bound(value, direction, margin, is_count=False)
    assert len(str(abs(int(limit.normalize().scaleb(-limit.normalize().as_tuple().exponent))))) <= 2  # type: ignore[operator]
    exact = Decimal(str(value))
    room = abs(limit - exact) - abs(exact) * margin
    assert room <= abs(exact) * (1 + margin) / 10


@given(value=COUNTS, direction=SIDES, margin=MARGINS)
def test_a_count_stays_whole(value: int, direction: Direction, margin: Decimal) -> None:
    limit = bound(value, direction, margin, is_count=True)
    read = scalar_of(spelled(limit, like="1_000"))
    assert isinstance(read, int)
    assert read == limit
    assert not direction.is_stricter(read, value)


@given(value=st.integers(min_value=1, max_value=10**6), margin=MARGINS)
def test_what_is_there_stays_required(value: int, margin: Decimal) -> None:
    assert bound(value, Direction.AT_LEAST, margin, is_count=True) >= 1


@pytest.mark.parametrize(
    ("value", "direction", "is_count", "limit"),
    [
        (791_557, "at most", True, "950000"),
        (3, "at most", True, "4"),
        (0, "at most", True, "0"),
        (1, "at least", True, "1"),
        (3.576e-07, "at most", False, "4.3e-7"),
        (0.1, "at most", False, "0.12"),
        (4096.7, "at most", False, "5000"),
        (99.9, "at most", False, "120"),
        (0.9999, "at least", False, "0.79"),
        (1.0, "at least", False, "0.8"),
        (-5.0, "at most", False, "-4"),
        (-5.0, "at least", False, "-6"),
        (-1, "at most", True, "0"),
    ],
)
def test_a_fifth_of_room(value: float, direction: str, is_count: bool, limit: str) -> None:  # noqa: FBT001
    assert spelled(bound(value, Direction(direction), Decimal("0.2"), is_count=is_count)) == limit


def test_without_a_margin_a_value_of_two_digits_is_its_own_limit() -> None:
    assert bound(0.1, Direction.AT_MOST, Decimal(0), is_count=False) == Decimal("0.1")
    assert bound(0.1, Direction.AT_LEAST, Decimal(0), is_count=False) == Decimal("0.1")


@pytest.mark.parametrize(
    ("direction", "is_count", "reason"),
    [
        (Direction.AT_MOST, False, "nothing to take a margin of"),
        (Direction.AT_LEAST, False, "nothing could miss"),
        (Direction.AT_LEAST, True, "nothing could miss"),
    ],
)
def test_a_zero_that_is_no_count_to_stay_zero_makes_no_limit(
    direction: Direction,
    is_count: bool,  # noqa: FBT001
    reason: str,
) -> None:
    with pytest.raises(LeftAlone, match=reason):
        bound(0, direction, Decimal("0.2"), is_count=is_count)


@pytest.mark.parametrize(
    ("value", "like", "text"),
    [
        (1_200_000, "1_000_000", "1_200_000"),
        (1_200_000, "1000000", "1200000"),
        (True, "false", "true"),
        (0.5, "", "0.5"),
        (1e-5, "", "1e-5"),
        (1e20, "", "1e20"),
        ((4, 5), "", "[4, 5]"),
        ("float32", "", "float32"),
        ("true", "", '"true"'),
        ("a: b", "", '"a: b"'),
        ("1e5", "", '"1e5"'),
    ],
)
def test_a_value_is_spelled_as_a_person_would(value: object, like: str, text: str) -> None:
    assert spelled(value, like) == text
