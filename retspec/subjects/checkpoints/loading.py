"""Load the weights of a checkpoint into a model, or compare the two, and record the result."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

from msgspec.structs import replace

from retspec.errors import describe
from retspec.facts import Loading, ModuleCoverage
from retspec.subjects.checkpoints.absence import no_weights
from retspec.subjects.checkpoints.comparison import altered, parts
from retspec.subjects.checkpoints.filling import filled_by_torch
from retspec.subjects.checkpoints.matching import allowed_by, best, matched
from retspec.subjects.checkpoints.notes import dtypes_of, notes_on
from retspec.subjects.checkpoints.placement import placed
from retspec.subjects.checkpoints.prefixes import within
from retspec.subjects.checkpoints.reading import read
from retspec.subjects.checkpoints.sets import found, tensors_of
from retspec.subjects.models.structure import has_adapter

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from torch import Tensor, nn

    from retspec.subjects.checkpoints.files import File
    from retspec.subjects.checkpoints.placement import Placement
    from retspec.subjects.checkpoints.reading import Contents
    from retspec.subjects.checkpoints.sets import Weights

    Tensors = Mapping[str, Tensor]

_WRAPPED_ALREADY = "; the factory has wrapped the model already: let it load the file too, and say `fill: false`"


@dataclass(frozen=True)
class Loaded:
    """The result of loading a checkpoint, and its file, for measurements that compare the model with it again."""

    loading: Loading
    file: File

    def placed_in(self, model: nn.Module) -> Placement:
        """Return which weights of the file belong where in the model, wrapped or not; they are mapped, not copied.

        Raises SubjectError when the file cannot be read safely.
        """
        return _placed_in(model, read(self.file), self.file)[1]

    def altered(self, fitted: Placement) -> tuple[str, ...]:
        """Return the names of tensors that differ between the model and the file."""
        return altered(fitted, exactly=self.loading.fill)


def load_into(model: nn.Module, file: File, plant: Callable[[Tensors], Tensors] = lambda tensors: tensors) -> Loading:
    """Copy into a model all weights of a file that fit it by name and shape, cast to its dtype.

    No other copy is made: the file is mapped into memory where its format allows that.

    plant: returns the named tensors with a fault in them.

    Raises SubjectError when the file cannot be read safely, changes meanwhile, or has nothing that fits.
    """
    contents = read(file)
    places = tensors_of(model.state_dict())
    weights = _weights_in(contents, places, file)
    if not matched(weights, places) and not has_adapter(model):
        weights = within(weights, places) or weights
    weights = dataclasses.replace(weights, tensors=plant(weights.tensors))
    fitted = _placed(weights, places, model)
    if not fitted.fitting:
        raise file.refused(fitted.refusal + (_WRAPPED_ALREADY if has_adapter(model) else ""))
    _copy(fitted.fitting, model, file)
    return _loading(file, contents, weights, fitted, loaded=fitted.filled)


def hold_against(model: nn.Module, file: File) -> Loading:
    """Compare a model that its source has filled, and perhaps wrapped, with a file; nothing is loaded.

    Tensors that equal those of the file count as loaded.

    Raises SubjectError when the file cannot be read safely, changes meanwhile, or has nothing that fits.
    """
    contents = read(file)
    weights, fitted = _placed_in(model, contents, file)
    if not fitted.fitting:
        raise file.refused(fitted.refusal)
    others = altered(fitted, exactly=False)
    file.require_unchanged()
    same = [fitted.places[name] for name in fitted.fitting if name not in others]
    return replace(_loading(file, contents, weights, fitted, loaded=same), fill=False)


def _placed_in(model: nn.Module, contents: Contents, file: File) -> tuple[Weights, Placement]:
    """Return the weights of a file, and where they belong in the part of the model that has most of their names."""
    candidates = [(_weights_in(contents, part.places, file), part) for part in parts(model)]
    weights, part = max(candidates, key=lambda pair: matched(pair[0], pair[1].places))
    return weights, _placed(weights, part.places, part.module)


def _placed(weights: Weights, places: Mapping[str, Tensor], model: nn.Module) -> Placement:
    counters = filled_by_torch(weights, model)
    return placed(weights.tensors, {name: each for name, each in places.items() if name not in counters}, model)


def _loading(
    file: File, contents: Contents, weights: Weights, fitted: Placement, *, loaded: Collection[Tensor]
) -> Loading:
    return Loading(
        file=file.name,
        format=contents.format,
        wrapper=weights.wrapper,
        prefixes=weights.prefixes,
        added=weights.added,
        others=weights.others,
        dtypes=dtypes_of(fitted),
        notes=notes_on(file, weights, fitted),
        missing=fitted.missing,
        unexpected=fitted.unexpected,
        mismatches=fitted.mismatches,
        unusable=tuple(f"{name} ({flaw})" for name, flaw in fitted.flaws.items()),
        resampled=fitted.resampled,
        loaded_elements=_elements(loaded),
        model_elements=_elements(fitted.places.values()),
        modules=_by_module(fitted.places, loaded),
    )


def _weights_in(contents: Contents, places: Mapping[str, Tensor], file: File) -> Weights:
    """Return the weights of a file, unconverted; raises SubjectError for none, or for impossible sizes."""
    candidates = allowed_by(file, found(contents.value))
    if not candidates:
        raise file.refused(no_weights(contents.value, file))
    weights = best(candidates, places, file.prefix)
    contents.require_room(weights.tensors, file)
    return weights


def _copy(tensors: dict[str, Tensor], model: nn.Module, file: File) -> None:
    try:
        model.load_state_dict(tensors, strict=False)
    except Exception as error:
        raise file.refused(f"is refused by the model: {describe(error)}") from error
    file.require_unchanged()


def _elements(tensors: Iterable[Tensor]) -> int:
    """Return the number of elements of all tensors; one that has two names counts once."""
    return sum({tensor.data_ptr(): tensor.numel() for tensor in tensors}.values())


def _by_module(places: Mapping[str, Tensor], loaded: Iterable[Tensor]) -> tuple[ModuleCoverage, ...]:
    """Return how much of each module was loaded; a tensor that has two names counts in the first."""
    filled = {tensor.data_ptr() for tensor in loaded}
    seen: set[int] = set()
    counts: dict[str, tuple[int, int]] = {}
    for name, tensor in places.items():
        pointer, size = tensor.data_ptr(), tensor.numel()
        if pointer not in seen:
            seen.add(pointer)
            elements, done = counts.get(_module_of(name), (0, 0))
            counts[_module_of(name)] = (elements + size, done + size * (pointer in filled))
    return tuple(ModuleCoverage(module, *count) for module, count in counts.items())


def _module_of(name: str) -> str:
    """Return the module at the top of a dotted name, with its number if it is one of a list."""
    first, *rest = name.split(".")
    return f"{first}.{rest[0]}" if len(rest) > 1 and rest[0].isdecimal() else first
