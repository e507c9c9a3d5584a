"""`data: {factory: "package.module:callable", kwargs: {...}}`: a batch, a Dataset or a DataLoader of yours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from msgspec import Meta

from retspec.plugin import data_source
from retspec.records import Keys
from retspec.subjects.callables import call, load_callable
from retspec.subjects.data.pairs import first_pair
from retspec.subjects.models.sources.factory_model import Reference

if TYPE_CHECKING:
    from torch import Tensor
    from torch.utils.data import DataLoader

    from retspec.facts import BatchRequest

PATH = "data.factory"


@data_source
def factory(
    reference: Reference,
    request: BatchRequest,
    *,
    kwargs: Annotated[dict[str, Any], Meta(description="Passed to the callable.")] = {},  # noqa: B006 - read only
    keys: Keys | None = None,
) -> tuple[Tensor, Tensor] | DataLoader[Any]:
    """Take one batch from what your callable returns.

    A DataLoader gives its first batch, and is timed as it is. A Dataset gives `train.batch_size` items spread evenly
    over it, since a sorted one would give a single class. Items and batches are tuples that begin with inputs and
    targets, or mappings or records with one of the usual keys; `keys` says where they are otherwise.
    """
    from torch.utils.data import DataLoader

    function = load_callable(reference, path=PATH)
    made = call(reference, function, dict(kwargs), path=PATH, kwargs_path="data.kwargs")
    if isinstance(made, DataLoader):
        return made
    return first_pair(made, request.size(), reference, path=PATH, keys=keys)
