"""Seed the random number generators temporarily."""

from __future__ import annotations

import random
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LIBRARIES = ("numpy", "torch")


@contextmanager
def seeded(seed: int, *, only_loaded: bool = False) -> Iterator[None]:
    """Seed random, numpy and torch, and restore their states at the end.

    only_loaded: leave out a library that is not imported yet; importing torch takes seconds.
    """
    if not only_loaded:
        import numpy as np  # noqa: F401 - read from sys.modules
        import torch  # noqa: F401 - the same
    restore = [_seed(*generator, seed) for generator in _generators()]
    try:
        yield
    finally:
        for put_back in restore:
            put_back()


def remembered() -> Callable[[], None]:
    """Return a function that restores the present states of random, numpy and torch, the GPUs in use included."""
    import numpy as np  # noqa: F401 - read from sys.modules
    import torch

    on_gpu = torch.cuda.is_available() and torch.cuda.is_initialized()  # type: ignore[no-untyped-call]
    states = [(put, get()) for get, put, _ in _generators()]
    states += [(torch.cuda.set_rng_state_all, torch.cuda.get_rng_state_all())] if on_gpu else []

    def restore() -> None:
        for put, state in states:
            put(state)

    return restore


@contextmanager
def states_kept() -> Iterator[None]:
    """Restore the states of random, numpy and torch at the end."""
    restore = remembered()
    try:
        yield
    finally:
        restore()


def loaded_libraries() -> frozenset[str]:
    """Return the imported ones of the libraries that draw random numbers."""
    return frozenset(sys.modules.keys() & set(LIBRARIES))


def generator_states() -> list[bytes]:
    """Return the state of each generator of an imported library, to see whether something drew from one."""
    import pickle

    states = [get() for get, _, _ in _generators()]
    torch = sys.modules.get("torch")
    if torch and torch.cuda.is_available() and torch.cuda.is_initialized():
        states += torch.cuda.get_rng_state_all()
    return [pickle.dumps(state.tolist() if hasattr(state, "tolist") else state) for state in states]


def _generators() -> Iterator[tuple[Callable[[], Any], Callable[[Any], Any], Callable[[int], Any]]]:
    """Yield the functions that get, set and seed the state of each generator of an imported library."""
    yield random.getstate, random.setstate, random.seed
    if numpy := sys.modules.get("numpy"):
        yield numpy.random.get_state, numpy.random.set_state, lambda seed: numpy.random.seed(seed % 2**32)
    if torch := sys.modules.get("torch"):
        yield torch.random.get_rng_state, torch.random.set_rng_state, torch.manual_seed


def _seed(
    get: Callable[[], Any], put: Callable[[Any], Any], seed: Callable[[int], Any], number: int
) -> Callable[[], Any]:
    """Seed a generator, and return a function that restores its state."""
    state = get()
    seed(number)
    return lambda: put(state)
