"""Random numbers that come out the same every time."""

from __future__ import annotations

import random
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed torch, numpy and random, and restore all three states at the end."""
    import numpy as np
    import torch

    before = random.getstate(), np.random.get_state(), torch.random.get_rng_state()  # noqa: NPY002 - models use it
    restore: list[Callable[[Any], None]] = [random.setstate, np.random.set_state, torch.random.set_rng_state]
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002
    torch.manual_seed(seed)
    try:
        yield
    finally:
        for put_back, state in zip(restore, before, strict=True):
            put_back(state)
