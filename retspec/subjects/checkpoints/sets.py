"""Find every set of named tensors in the content of a file, whatever its key is called."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from torch import Tensor

_DEEPEST = 4
"""Keys that lead to weights at most; scripts of several models write `models.encoder.state_dict`."""
_MOST_SETS = 512
"""Sets that are looked at; an optimizer of a large model holds one for each parameter."""
_LONGEST_LIST = 32
"""Items of a list that are looked at, such as the models of an ensemble."""


@dataclass(frozen=True)
class Weights:
    """Named tensors of a file, the key that they were under, and what was done to their names."""

    tensors: Mapping[str, Tensor]
    wrapper: str = ""
    """Dotted key of the file; empty for its top."""
    prefixes: tuple[str, ...] = ()
    """What was removed from the beginning of names, in this order."""
    unwrapped: bool = False
    """Whether names of wrappers were removed from within names."""
    added: str = ""
    """What was put in front of names, because the model keeps the network of the file in an attribute."""
    versions: Mapping[str, int] = field(default_factory=dict)
    """By the module's name in the file, the version of its format, which `state_dict` of torch writes."""
    others: tuple[str, ...] = ()
    """Other sets of the file that fit the model as well, in words."""


def found(value: Any) -> list[Weights]:
    """Return all sets of named tensors in a file's content, those at its top first."""
    sets = []
    for key, held in _mappings(value):
        if tensors := tensors_of(held):
            sets.append(Weights(tensors, key, versions=_versions(held)))
        if len(sets) == _MOST_SETS:
            break
    return sets


def tensors_of(held: Any) -> dict[str, Tensor]:
    """Return the entries of a mapping that are named tensors; empty for anything but a mapping."""
    import torch

    entries = _entries(held) if isinstance(held, Mapping) else ()
    return {name: value for name, value in entries if isinstance(name, str) and isinstance(value, torch.Tensor)}


def _mappings(value: Any) -> Iterator[tuple[str, Mapping[Any, Any]]]:
    """Yield each mapping in a value once with its dotted key, outer ones first; a pickle may nest it in itself."""
    waiting: deque[tuple[tuple[str, ...], Any]] = deque([((), value)])
    seen: set[int] = set()
    while waiting:
        keys, held = waiting.popleft()
        if id(held) in seen:
            continue
        seen.add(id(held))
        if isinstance(held, Mapping):
            yield ".".join(keys), held
        if len(keys) < _DEEPEST:
            waiting.extend(((*keys, key), below) for key, below in _below(held))


def _below(held: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(held, Mapping):
        yield from ((key, value) for key, value in _entries(held) if isinstance(key, str))
    elif isinstance(held, list | tuple) and len(held) <= _LONGEST_LIST:
        yield from ((str(index), value) for index, value in enumerate(held))


def _entries(held: Mapping[Any, Any]) -> Iterable[tuple[Any, Any]]:
    """Return the items of a mapping; a pickle may have put an attribute in the place of the method `items`."""
    return dict.items(held) if isinstance(held, dict) else held.items()


def _versions(held: Any) -> dict[str, int]:
    """Return the versions in `_metadata`, an attribute of what `state_dict` returns; anything may be in its place."""
    metadata = getattr(held, "_metadata", None)
    entries = metadata.items() if isinstance(metadata, dict) else ()
    versions = {name: entry.get("version") for name, entry in entries if isinstance(entry, dict)}
    return {name: each for name, each in versions.items() if isinstance(name, str) and isinstance(each, int)}
