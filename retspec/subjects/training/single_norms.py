"""Let normalizations of a CPU under autocast compute in float32, as CUDA's do."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def norms_in_single() -> Iterator[None]:
    """Let layer and group norm take float32 on a CPU that autocasts, and return it, inside this context.

    CUDA's autocast lists both among the operations in float32, the CPU's does not:
    https://docs.pytorch.org/docs/stable/amp.html#autocast-op-reference. The CPU's kernel of layer norm adds up the
    gradients of weight and bias over all rows in bfloat16: over 4096 rows, that of the bias was off by a third.

    They are registered as an autocast of torch's own is, so that checkpoints, which compute them in the backward pass
    again, have them too: https://docs.pytorch.org/docs/stable/library.html
    """
    import torch
    from torch import Tensor

    half = (torch.bfloat16, torch.float16)

    def single(operation: Callable[..., Any]) -> Callable[..., Any]:
        def cast(value: Any) -> Any:
            return value.float() if isinstance(value, Tensor) and value.dtype in half else value

        def compute(*args: Any, **kwargs: Any) -> Any:
            with torch.autocast("cpu", enabled=False):
                return operation(*map(cast, args), **{name: cast(value) for name, value in kwargs.items()})

        return compute

    with torch.library._scoped_library("aten", "IMPL", "AutocastCPU") as library:  # noqa: SLF001 - a public one stays
        library.impl("layer_norm", single(torch.ops.aten.layer_norm))
        library.impl("group_norm", single(torch.ops.aten.group_norm))
        yield
