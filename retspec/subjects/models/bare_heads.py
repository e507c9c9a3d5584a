"""Find heads that are a bare matrix: a parameter that `forward` multiplies by itself, without a module for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from retspec.subjects.models.graphs import nodes_behind

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

    from torch import Tensor, nn

_MATRIX = 2
_PRODUCTS = ("MmBackward", "AddmmBackward", "BmmBackward", "BaddbmmBackward", "LinearBackward", "ConvolutionBackward")


def bare_products(model: nn.Module, outputs: Tensor, makers: Container[Any]) -> dict[Any, tuple[str, nn.Parameter]]:
    """Return the products with a bare matrix, such as prototypes, that reach an output past no module, by operation.

    makers: the operations that made the outputs of modules. A frozen matrix is not in the graph, but the product keeps
    it for its backward pass: https://docs.pytorch.org/docs/stable/notes/autograd.html#saved-tensors
    """
    matrices = {name: p for name, p in model.named_parameters() if p.dim() >= _MATRIX}
    trained = {id(p): (name, p) for name, p in matrices.items() if p.requires_grad}
    frozen = {_storage(p): (name, p) for name, p in matrices.items() if not p.requires_grad}
    found: dict[Any, tuple[str, nn.Parameter]] = {}
    for node in nodes_behind(outputs, makers):
        if node in makers or not node.name().startswith(_PRODUCTS):
            continue
        kept = (frozen.get(_storage(tensor)) for tensor in _saved(node))
        alone = (_alone(following, trained, makers) for following, _ in node.next_functions)
        matrix = next((each for each in (*kept, *alone) if each is not None), None)
        if matrix is not None:
            found[node] = matrix
    return found


def _alone(
    node: Any, trained: dict[int, tuple[str, nn.Parameter]], makers: Container[Any]
) -> tuple[str, nn.Parameter] | None:
    """Return the matrix that is the only thing behind a factor of a product, normalized or transposed perhaps."""
    behind = nodes_behind(node, makers)
    leaves = [id(each.variable) for each in behind if hasattr(each, "variable")]
    is_alone = len(leaves) == 1 and not any(each in makers for each in behind)
    return trained.get(leaves[0]) if is_alone else None


def _saved(node: Any) -> Iterator[Tensor]:
    from torch import Tensor

    for name in ("mat1", "mat2", "self", "weight", "batch1", "batch2"):
        kept = getattr(node, f"_saved_{name}", None)
        if isinstance(kept, Tensor):
            yield kept


def _storage(tensor: Tensor) -> int:
    """Return what identifies the memory of a tensor, also on the meta device, where every address is zero."""
    return int(tensor.untyped_storage()._cdata)  # noqa: SLF001 - torch offers nothing else
