"""What a reader should know of the weights that were taken from a file, whatever was asked."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from retspec.characters import one_line
from retspec.subjects.checkpoints.shards import shard_note
from retspec.text.wording import listing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from retspec.subjects.checkpoints.files import File
    from retspec.subjects.checkpoints.placement import Placement
    from retspec.subjects.checkpoints.sets import Weights


def dtypes_of(fitted: Placement) -> dict[str, int]:
    """Return how many of the tensors that fit have which dtype in the file; counters and masks aside."""
    found = Counter(str(each.dtype) for each in fitted.fitting.values() if each.is_floating_point())
    return {dtype.removeprefix("torch."): number for dtype, number in found.most_common()}


def notes_on(file: File, weights: Weights, fitted: Placement) -> tuple[str, ...]:
    """Return whole sentences on a choice among several sets, on another dtype, and on a part of a whole."""
    return tuple(map(one_line, filter(None, _notes(file, weights, fitted))))


def _notes(file: File, weights: Weights, fitted: Placement) -> Iterator[str]:
    if weights.others and file.key is None and file.prefix is None:
        yield _on_choice(file, weights)
    if weights.added:
        yield f"{file.name} names its weights without {weights.added!r}, where the model keeps them"
    here = {str(fitted.places[name].dtype) for name, each in fitted.fitting.items() if each.is_floating_point()}
    there = dtypes_of(fitted)
    models = sorted(dtype.removeprefix("torch.") for dtype in here)
    if there.keys() != set(models):
        yield f"{file.name} holds weights of {listing([*there])}; in the model they are {listing(models)}"
    yield shard_note(file)


def _on_choice(file: File, weights: Weights) -> str:
    at = f"under the key {weights.wrapper!r}" if weights.wrapper else "at its top"
    behind = f", behind the prefix {''.join(weights.prefixes)!r}" if weights.prefixes else ""
    key = "prefix" if not any(other.startswith("under") for other in weights.others) else "key"
    return (
        f"{file.name} holds more than one set of weights that fits: those {at}{behind} were taken; others are "
        f"{listing(weights.others)}; `checkpoint: {{file: {file.name}, {key}: …}}` says which"
    )
