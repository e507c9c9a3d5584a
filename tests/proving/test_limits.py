"""A limit that would have noticed a fault lies between what is healthy and what is not."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as some

from retspec.proving.limits import noticing_limit
from retspec.records import Direction

floats = some.floats(-1e6, 1e6, allow_nan=False)
whole = some.integers(-1000, 1000)


def test_examples() -> None:
    assert noticing_limit(Direction.AT_MOST, 0.0, [1.0]) == 0.2
    assert noticing_limit(Direction.AT_LEAST, 0.9, [0.4, 0.8]) == 0.8
    assert noticing_limit(Direction.AT_MOST, 0, [1]) == 0
    assert noticing_limit(Direction.AT_LEAST, 10, [0]) == 8
    assert noticing_limit(Direction.AT_LEAST, 4, [3]) == 4


def test_there_is_none_where_nothing_became_worse() -> None:
    assert noticing_limit(Direction.AT_MOST, 1.0, [1.0, 0.5, None]) is None
    assert noticing_limit(Direction.AT_LEAST, 1.0, [2.0]) is None
    assert noticing_limit(Direction.EQUAL, 1.0, [2.0]) is None
    assert noticing_limit(Direction.AT_MOST, "float32", ["float16"]) is None
    assert noticing_limit(Direction.AT_MOST, None, [1.0]) is None


@given(
    values=some.lists(floats, min_size=2) | some.lists(whole, min_size=2),
    most=some.booleans(),
)
def test_the_healthy_value_meets_it_and_the_worst_one_does_not(
    values: list[float],
    most: bool,  # noqa: FBT001 - drawn
) -> None:
    healthy, *faulty = values
    direction = Direction.AT_MOST if most else Direction.AT_LEAST
    limit = noticing_limit(direction, healthy, faulty)
    sign = 1 if most else -1
    worst = max(faulty, key=lambda value: sign * value)
    if limit is None:
        assert sign * worst <= sign * healthy
    else:
        assert isinstance(limit, type(healthy))
        assert sign * healthy <= sign * limit < sign * worst
