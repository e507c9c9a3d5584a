"""A plugin whose checks return what checks return by accident."""

from __future__ import annotations

from typing import Any

from retspec.plugin import Check, Inconclusive, Observed, check, hookimpl


@check(direction="at most", advice="Nothing to do.")
def returns(*, what: str) -> Observed[float]:
    """Is it a number?"""
    import numpy as np
    import torch

    nan, inf = float("nan"), float("inf")
    loop: list[Any] = []
    loop.append(loop)
    values: dict[str, Any] = {
        "int": 1,
        "float": 0.5,
        "numpy float": np.float32(0.5),
        "numpy int": np.int64(1),
        "numpy bool": np.bool_(False),  # noqa: FBT003 - the very type
        "numpy array": np.zeros(1),
        "nan": nan,
        "inf": inf,
        "minus inf": -inf,
        "numpy nan": np.float64(nan),
        "none": None,
        "tensor": torch.tensor(0.5),
        "bool": False,
        "text": "0.5",
        "tuple": (0, 1),
        "tuple of bools": (False, True),
        "list of floats": [0.5],
        "complex": 1j,
        "very large": -(10**400),
        "very large details": Observed(0.5, {"count": 10**5000}),
        "observed nan": Observed(nan),
        "odd details": Observed(0.5, {"nan": nan, "tensor": torch.ones(2), 3: {"inf": [inf]}, "numpy": np.float32(2)}),
        "no details": Observed(0.5, [1, 2]),  # type: ignore[arg-type]
        "endless details": Observed(0.5, {"loop": loop}),
        "surrogate details": Observed(0.5, {"file": "\udcff.png"}),
    }
    return values[what]  # type: ignore[no-any-return]


@check(direction="equal", advice="Nothing to do.")
def returns_tuple() -> tuple[int, ...]:
    """Which shape?"""
    return [1, 2]  # type: ignore[return-value]


@check(direction="at most", advice="Nothing to do.")
def raises_surrogate() -> int:
    """Which file?"""
    raise ValueError("\x1b[31mcannot read\nscan-\udcff.png")


@check(direction="at most", advice="Nothing to do.")
def raises_inconclusive() -> int:
    """Could it have gone the other way?"""
    raise Inconclusive("there is nothing to see")


@check(direction="at most", advice="Nothing to do.")
def runs_out_of_memory() -> int:
    """Is there room?"""
    raise MemoryError


@hookimpl
def retspec_checks() -> list[Check]:
    return [returns, returns_tuple, raises_surrogate, raises_inconclusive, runs_out_of_memory]
