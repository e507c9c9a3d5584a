"""Let normalizations of a CPU under autocast compute in float32, as CUDA's do."""

from __future__ import annotations

from typing import Any


def norms_in_single() -> Any:
    """Return a context in which layer and group norm take float32 on a CPU that autocasts, and return it.

    CUDA's autocast lists both among the operations in float32, the CPU's does not:
    https://docs.pytorch.org/docs/stable/amp.html#autocast-op-reference. The CPU's kernel of layer norm adds up the
    gradients of weight and bias over all rows in bfloat16: over 4096 rows, that of the bias was off by a third.
    """
    import torch
    from torch import Tensor
    from torch.nn import functional
    from torch.overrides import TorchFunctionMode

    norms = (functional.layer_norm, functional.group_norm, torch.layer_norm, torch.group_norm)
    half = (torch.bfloat16, torch.float16)

    def single(value: Any) -> Any:
        is_half = isinstance(value, Tensor) and value.device.type == "cpu" and value.dtype in half
        return value.float() if is_half else value

    class Norms(TorchFunctionMode):
        def __torch_function__(self, function: Any, _types: Any, args: Any = (), kwargs: Any = None) -> Any:
            kwargs = kwargs or {}
            if function in norms and torch.is_autocast_enabled("cpu"):
                args, kwargs = tuple(map(single, args)), {name: single(value) for name, value in kwargs.items()}
            return function(*args, **kwargs)

    return Norms()
