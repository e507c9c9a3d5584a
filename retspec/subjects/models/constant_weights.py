"""Find weights that say nothing: matrices of one value, and copies of one another.

A layer whose rows are equal learns one feature only, as all get the same gradient: chapter 8.4 of
https://www.deeplearningbook.org.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from retspec.subjects.models.state import fingerprints
from retspec.subjects.models.structure import adapter_parameters, head_parameters, own_name
from retspec.text.wording import listing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from torch import Tensor, nn

_LEAST = 64
"""Elements of a matrix below which a pattern may repeat by intention."""
_ZERO_BY_DESIGN = ("sampling_offsets", "attention_weights", "adaLN_modulation")
"""Layers that begin with zeros: deformable attention (https://arxiv.org/abs/2010.04159), adaLN-Zero
(https://arxiv.org/abs/2212.09748)."""


def weight_notes(model: nn.Module) -> tuple[str, ...]:
    """Return what a reader should know of the weights of the layers of a model, in whole sentences.

    Only matrices of layers of torch count: tokens, tables of positions and scales begin with zeros or ones, and so do
    factors of adapters and heads.
    """
    matrices = dict(_matrices(model))
    constant = {name: value for name, matrix in matrices.items() if (value := _only_value(matrix)) is not None}
    zero = _meant_to_be_zero(model, matrices)
    told = [f"{own_name(name)} ({value:g})" for name, value in constant.items() if value or name not in zero]
    copies = _copies({name: matrix for name, matrix in matrices.items() if name not in constant})
    of_one_value = (
        f"weights of one value alone, where random or trained ones are expected: {listing(told)}; look at how the "
        "model is initialized, or at the file it was loaded from"
    )
    return (
        *((of_one_value,) if told else ()),
        *(
            f"weights that are equal to the bit and not shared: {listing([*map(own_name, names)])}; one may be a copy "
            "of another, as by `copy.deepcopy`, which nn.TransformerEncoder uses for its layers"
            for names in copies
        ),
    )


def _matrices(model: nn.Module) -> Iterator[tuple[str, nn.Parameter]]:
    """Yield the weights of layers, each once: not those of adapters, nor of the copies that peft makes of a head."""
    from torch import nn

    kinds = (nn.Linear, nn.modules.conv._ConvNd, nn.MultiheadAttention, nn.RNNBase, nn.Bilinear)  # noqa: SLF001 - the base of all convolutions
    passed = {*adapter_parameters(model)}
    for name, module in model.named_modules():
        if not isinstance(module, kinds) or ".modules_to_save." in f".{name}.":
            continue
        for own, parameter in module.named_parameters(name, recurse=False):
            is_matrix = parameter.dim() > 1 and parameter.numel() >= _LEAST and "weight" in own.rpartition(".")[2]
            if is_matrix and parameter.is_floating_point() and not parameter.is_meta and id(parameter) not in passed:
                passed.add(id(parameter))
                yield own, parameter


def _meant_to_be_zero(model: nn.Module, matrices: Mapping[str, nn.Parameter]) -> set[str]:
    """Return the matrices that may begin with zeros: of heads, and of what is added to a frozen model to train."""
    heads = head_parameters(model)
    some_are_frozen = not all(matrix.requires_grad for matrix in matrices.values())
    last = next(reversed([*matrices]), "")
    return {
        name
        for name, matrix in matrices.items()
        if id(matrix) in heads
        or name == last
        or (some_are_frozen and matrix.requires_grad)
        or any(word in name for word in _ZERO_BY_DESIGN)
    }


def _only_value(matrix: Tensor) -> float | None:
    """Return the value that all elements of a matrix have, or None; most show in their first row that they have not."""
    rows = matrix.detach().flatten(1)
    first = rows[0, 0]
    return float(first) if bool((rows[0] == first).all()) and bool((rows == first).all()) else None


def _copies(matrices: Mapping[str, nn.Parameter]) -> Iterator[tuple[str, ...]]:
    """Yield the names of matrices that are equal to the bit.

    A frozen one beside one that trains may be a teacher, and one of few values is made by a rule, such as the identity.
    """
    alike: dict[object, list[str]] = defaultdict(list)
    for name, matrix in matrices.items():
        begins = tuple(matrix.detach().flatten()[:_LEAST].tolist())
        alike[matrix.shape, matrix.dtype, matrix.requires_grad, begins].append(name)
    for names in alike.values():
        if len(names) > 1 and len({*_values(matrices[names[0]])}) > _LEAST // 2:
            equal: dict[int, list[str]] = defaultdict(list)
            for name, mark in fingerprints({name: matrices[name] for name in names}).items():
                equal[mark].append(name)
            yield from (tuple(group) for group in equal.values() if len(group) > 1)


def _values(matrix: Tensor) -> list[float]:
    values: list[float] = matrix.detach().flatten()[:_LEAST].tolist()
    return values
