"""`data: {fixture: name}`: a batch from a pytest fixture.

pytest evaluates the fixture in its own process (`retspec.testing`) and writes the tensors to a file. The worker finds
the file by an environment variable, so that the spec and its hash are the same in every run.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated, Any

from msgspec import Meta

from retspec.errors import SubjectError
from retspec.plugin import data_source
from retspec.subjects.data.pairs import first_pair, spread

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

    from retspec.facts import BatchRequest

VARIABLE = "RETSPEC_FIXTURE"
"""Environment variable with the path of the file that holds the batch, set while pytest runs a spec."""
PATH = "data.fixture"
MOST = 64
"""Items of a Dataset that are written, unless `train.batch_size` is larger: enough for the checks that set their own
batch size."""

FixtureName = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z_]\w*$",
        description="A pytest fixture that returns a batch, a Dataset or a DataLoader; for specs that pytest runs.",
        examples=["fundus_batch"],
    ),
]


@data_source
def fixture(name: FixtureName, request: BatchRequest) -> tuple[Tensor, Tensor]:
    """Take one batch from what a pytest fixture returns, in a spec that pytest runs.

    A pair (inputs, targets) is the batch, of a DataLoader it is the first one. A Dataset gives `train.batch_size` items
    spread evenly over it, and as many as 64 to a check that asks for its own number.
    """
    from safetensors import safe_open

    file = os.environ.get(VARIABLE)
    if file is None:
        raise SubjectError(
            f"the fixture {name!r} is there under pytest only; run this spec with pytest, where retspec is installed "
            "as a plugin, or name a `factory` under `data`",
            path=PATH,
        )
    with safe_open(file, framework="pt") as stored:
        inputs, targets = stored.get_tensor("inputs"), stored.get_tensor("targets")
        asked = int((stored.metadata() or {}).get("asked", 0))
    if not asked:
        return inputs, targets
    size, length = request.size(), len(inputs)
    if size > length == asked:
        raise SubjectError(
            f"the fixture {name!r} handed over {length} items of its Dataset, and {size} are asked for; "
            "raise train.batch_size, or let the fixture return one batch of that size",
            path=PATH,
        )
    indices = spread(size, length)
    return inputs[indices], targets[indices]


def hand_over(made: Any, file: Path, *, name: str, batch_size: int) -> None:
    """Write the batch that the fixture `name` returned to a safetensors file, from which no code can run.

    Raises SubjectError when it returned no batch.
    """
    from safetensors.torch import save_file
    from torch.utils.data import Dataset

    asked = max(MOST, batch_size)
    pair = first_pair(made, asked, f"the fixture {name!r}", path=PATH)
    inputs, targets = (
        tensor.detach().cpu().contiguous().clone() for tensor in pair
    )  # safetensors refuses tensors that share memory
    metadata = {"asked": str(asked)} if isinstance(made, Dataset) else None
    save_file({"inputs": inputs, "targets": targets}, file, metadata)
