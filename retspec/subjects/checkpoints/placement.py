"""Match the weights of a file with the parameters and buffers of a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from retspec.facts import ShapeMismatch
from retspec.subjects.checkpoints.conversion import converted

if TYPE_CHECKING:
    from torch import Tensor, nn

Tensors = Mapping[str, "Tensor"]

_EXAMPLES = 3


@dataclass(frozen=True)
class Placement:
    """Which tensors of a file go where in a model; all mappings are by name."""

    raw: Tensors
    """Tensors of the file, unconverted, with the prefixes of their names removed."""
    weights: Tensors
    """The same tensors after the conversion by the model's library, if there was one."""
    places: Tensors
    """Parameters and persistent buffers of the model."""

    @cached_property
    def flaws(self) -> dict[str, str]:
        """Tensors with a name of the model whose numbers cannot be weights, each with the reason."""
        pairs = ((name, self.weights[name], self.places[name]) for name in self.weights if name in self.places)
        return {name: flaw for name, tensor, place in pairs if (flaw := flaw_of(tensor, place))}

    @cached_property
    def fitting(self) -> dict[str, Tensor]:
        """Tensors that can be loaded: name, shape and kind of numbers fit."""
        chosen = _of_same_shape(self.weights, self.places)
        return {name: tensor for name, tensor in chosen.items() if name not in self.flaws}

    @property
    def filled(self) -> tuple[Tensor, ...]:
        """Tensors of the model that are filled; tied weights are filled under either name."""
        pointers = {self.places[name].data_ptr() for name in self.fitting}
        return tuple(place for place in self.places.values() if place.data_ptr() in pointers)

    @property
    def missing(self) -> tuple[str, ...]:
        """Names of the model that the file lacks."""
        filled = {id(place) for place in self.filled}
        return tuple(
            name for name, place in self.places.items() if name not in self.weights and id(place) not in filled
        )

    @property
    def unexpected(self) -> tuple[str, ...]:
        """Names that the model lacks, including those that the conversion dropped."""
        kept = {id(tensor) for tensor in self.weights.values()}
        dropped = (name for name in self.raw if name not in self.weights and id(self.raw[name]) not in kept)
        return (*(name for name in self.weights if name not in self.places), *dropped)

    @property
    def mismatches(self) -> tuple[ShapeMismatch, ...]:
        """Tensors with a name of the model and another shape."""
        shapes = (
            (name, shape(self.weights[name]), shape(self.places[name])) for name in self.weights if name in self.places
        )
        return tuple(ShapeMismatch(name=name, in_file=one, in_model=two) for name, one, two in shapes if one != two)

    @property
    def resampled(self) -> tuple[str, ...]:
        """Names of tensors that fit after the conversion changed their shape."""
        return tuple(
            name for name in self.fitting if name in self.raw and shape(self.raw[name]) != shape(self.weights[name])
        )

    @property
    def refusal(self) -> str:
        """Why nothing fits, for an error message."""
        number = f"none of its {len(self.raw)} tensors" if len(self.raw) > 1 else "its one tensor does not"
        text = f"has nothing for this model: {number} fit" + ("s" if len(self.raw) > 1 else "")
        if self.flaws:
            name, flaw = next(iter(self.flaws.items()))
            return f"{text}; {name} has the wrong kind of numbers ({flaw})"
        if self.mismatches:
            first = self.mismatches[0]
            return f"{text}; {first.name} has the shape {first.in_file}, in the model {first.in_model}"
        if any("lora_" in name for name in self.raw):
            return f"{text}; they are an adapter's: name the weights of the model that it adapts"
        return f"{text}; the file has keys like {_examples(self.raw)}, the model {_examples(self.places)}"


def placed(raw: Tensors, places: Tensors, model: nn.Module) -> Placement:
    """Return what goes where, after the conversion by the model's library if more fits then."""
    candidate = converted(raw, model)
    is_better = len(_of_same_shape(candidate, places)) > len(_of_same_shape(raw, places))
    return Placement(raw, candidate if is_better else raw, places)


def shape(tensor: Tensor) -> tuple[int, ...]:
    """Return the shape of a tensor as a plain tuple."""
    return tuple(tensor.shape)


def flaw_of(tensor: Tensor, place: Tensor) -> str:
    """Return why a tensor cannot be the weights of a place in the model, or an empty string.

    It cannot when it is on the meta device, quantized, of another layout, or of another kind of dtype: integer,
    floating point or complex. Shapes are not compared.
    """
    if tensor.is_meta:
        return "none: saved from the meta device"
    if tensor.is_quantized or tensor.layout != place.layout:
        return f"{'quantized' if tensor.is_quantized else tensor.layout} for {place.dtype}".replace("torch.", "")
    kinds = [(each.is_floating_point(), each.is_complex()) for each in (tensor, place)]
    return "" if kinds[0] == kinds[1] else f"{tensor.dtype} for {place.dtype}".replace("torch.", "")


def _of_same_shape(tensors: Tensors, places: Tensors) -> dict[str, Tensor]:
    return {name: each for name, each in tensors.items() if name in places and shape(each) == shape(places[name])}


def _examples(tensors: Tensors) -> str:
    return ", ".join(list(tensors)[:_EXAMPLES]) or "none"
