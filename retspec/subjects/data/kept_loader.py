"""A DataLoader of the user, given back as it was."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def loader_kept(loader: Any) -> Iterator[None]:
    """Restore the generators of a loader and of its samplers at the end, and the iterator that persistent workers keep.

    What its dataset remembers of the reads stays. Anything but a DataLoader is left alone.
    """
    import torch
    from torch.utils.data import DataLoader

    if not isinstance(loader, DataLoader):
        yield
        return
    owners = (loader, loader.sampler, loader.batch_sampler, getattr(loader.batch_sampler, "sampler", None))
    found = (getattr(owner, "generator", None) for owner in owners)
    generators = [each for each in dict.fromkeys(found) if isinstance(each, torch.Generator)]
    states, iterator = [each.get_state() for each in generators], loader._iterator  # noqa: SLF001 - torch's only name
    try:
        yield
    finally:
        for generator, state in zip(generators, states, strict=True):
            generator.set_state(state)
        loader._iterator = iterator  # noqa: SLF001 - the same
