"""Find adapters that are not peft's, such as a LoRA class of a team's own.

They are found by what they are: two trainable factors of low rank beside the one frozen weight of a layer, whose sizes
they have, as in LoRA (https://arxiv.org/abs/2106.09685). Others are named by `model.adapters`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from retspec.errors import SubjectError
from retspec.subjects.models.patterns import require_quick
from retspec.subjects.models.peft_types import tuner_layers

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from torch import nn

PLACE = "model.adapters"
_ATTRIBUTE = "_retspec_adapters"
_MATRIX = 2


@dataclass(frozen=True)
class OwnAdapter:
    """An adapter of a layer."""

    layer: nn.Module
    """The layer: its adapter and what it adapts."""
    parameters: Mapping[str, nn.Parameter]
    """The parameters of the adapter, by their names in the layer."""
    is_low_rank: bool
    """Whether its update is a product of factors, which is nothing where they are zero."""

    @property
    def factors(self) -> list[nn.Parameter]:
        """Its matrices, without what may be a magnitude or a scale."""
        return [parameter for parameter in self.parameters.values() if parameter.dim() >= _MATRIX]


def name_adapters(model: nn.Module, pattern: str) -> None:
    """Take the parameters for adapters in whose name this regular expression is found, from now on.

    Raises SubjectError for one that is no regular expression, is too slow, or is found in no name.
    """
    names = [name for name, _ in model.named_parameters()]
    try:
        expression = re.compile(pattern)
    except re.error as error:
        raise SubjectError(f"{pattern!r} is no regular expression: {error}", path=PLACE) from error
    require_quick([(PLACE, f"(?s:.*)(?:{pattern})")], names)
    if not any(map(expression.search, names)):
        raise SubjectError(f"{pattern!r} is found in no name of a parameter, such as {names[-1]}", path=PLACE)
    setattr(model, _ATTRIBUTE, pattern)


def own_adapters(model: nn.Module) -> dict[str, OwnAdapter]:
    """Return the adapters that are not peft's, by the names of their layers: the named ones, or else those found."""
    pattern = getattr(model, _ATTRIBUTE, None)
    return _named(model, pattern) if pattern is not None else dict(reversed([*_found(model)]))


def _named(model: nn.Module, pattern: str) -> dict[str, OwnAdapter]:
    """Return the named adapters; the layer of each is the innermost module that also has other parameters."""
    adapting = {name: p for name, p in model.named_parameters() if re.search(pattern, name)}
    others = [name for name, _ in model.named_parameters() if name not in adapting]
    layers: dict[str, dict[str, nn.Parameter]] = {}
    for name, parameter in adapting.items():
        layer = name.rpartition(".")[0]
        while layer and not any(other.startswith(f"{layer}.") for other in others):
            layer = layer.rpartition(".")[0]
        layers.setdefault(layer, {})[name.removeprefix(f"{layer}.")] = parameter
    low_rank = {name: found.parameters.keys() for name, found in _found(model)}
    return {
        name: OwnAdapter(model.get_submodule(name), own, own.keys() == low_rank.get(name))
        for name, own in layers.items()
    }


def _found(model: nn.Module) -> Iterator[tuple[str, OwnAdapter]]:
    """Yield the innermost layers that hold one frozen matrix, and beside it nothing that trains but its factors."""
    peft = tuple(tuner_layers(model))
    taken: list[str] = []
    for name, module in reversed([*model.named_modules()]):  # those inside come after the module that holds them
        of_peft = any(_is_inside(name, layer) or _is_inside(layer, name) for layer in peft)
        if of_peft or any(_is_inside(inner, name) for inner in taken):
            continue
        own = dict(module.named_parameters())
        if _are_factors(own):
            taken.append(name)
            added = {key: p for key, p in own.items() if p.requires_grad and not key.endswith("bias")}
            yield name, OwnAdapter(module, added, is_low_rank=True)


def _is_inside(name: str, outer: str) -> bool:
    return not outer or name == outer or name.startswith(f"{outer}.")


def _are_factors(parameters: Mapping[str, nn.Parameter]) -> bool:
    """Whether what trains of a layer are the factors of an update of its one frozen matrix."""
    matrices = [parameter for parameter in parameters.values() if parameter.dim() >= _MATRIX]
    frozen = [matrix.shape for matrix in matrices if not matrix.requires_grad]
    factors = [matrix.shape for matrix in matrices if matrix.requires_grad]
    if len(frozen) != 1 or len(factors) < 2:  # noqa: PLR2004 - a pair
        return False
    rows, columns = frozen[0][:2]
    return any(_fit(factors, *sizes) for sizes in ((columns, rows), (rows, columns)))


def _fit(factors: Sequence[Sequence[int]], inner: int, outer: int) -> bool:
    """Whether each factor leads from the one side of a matrix to a lower rank, or from there to the other, or a slice.

    One update of a fused layer, such as that of the query in qkv, has a part of its outputs.
    """
    least = min(inner, outer)
    down = [_other_side(shape, inner) for shape in factors]
    up = [next((rank for size in _slices(outer) if (rank := _other_side(shape, size))), 0) for shape in factors]
    ranks_down = {rank for rank in down if 0 < rank < least}
    ranks_up = {rank for rank in up if 0 < rank < least}
    every = all(0 < one < least or 0 < other < least for one, other in zip(down, up, strict=True))
    return every and bool(ranks_up) and any(rank % other == 0 for rank in ranks_down for other in ranks_up)


def _slices(size: int) -> list[int]:
    """Return a size, and what is left of it when it is divided into two or three, as in kv and qkv."""
    return [size, *(size // parts for parts in (3, 2) if size % parts == 0)]


def _other_side(shape: Sequence[int], size: int) -> int:
    """Return the other of the first two sizes of a tensor, if one of them is `size`; else 0."""
    rows, columns = shape[:2]
    return columns if rows == size else rows if columns == size else 0
