"""Find parameters that the logits depend on and the model does not know, such as those of layers in a plain list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from retspec.errors import SubjectError
from retspec.subjects.models.graphs import nodes_behind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor, nn

MOST_NAMED = 5


def require_registered(model: nn.Module, logits: Tensor) -> None:
    """Raise SubjectError when the autograd graph of the logits reaches a parameter that is none of the model's.

    `model.parameters()` knows the modules in attributes and in containers such as `nn.ModuleList` alone:
    https://docs.pytorch.org/docs/stable/generated/torch.nn.ModuleList.html. Layers in a list or a dictionary of Python
    compute, but no optimizer gets them, no checkpoint holds them, and `.to(device)` leaves them behind.
    """
    from torch import nn

    known = {id(parameter) for parameter in model.parameters()}
    reached = [node.variable for node in nodes_behind(logits) if hasattr(node, "variable")]
    unknown = [each for each in reached if isinstance(each, nn.Parameter) and id(each) not in known]
    if unknown:
        names = dict(_named_in_containers(model))
        shown = sorted(names.get(id(each), f"one of shape {tuple(each.shape)}") for each in unknown)
        more = "" if len(shown) <= MOST_NAMED else f" and {len(shown) - MOST_NAMED} more"
        raise SubjectError(
            f"the logits depend on parameters that the model does not register: {', '.join(shown[:MOST_NAMED])}{more}; "
            "nothing trains or saves them. Keep layers in nn.ModuleList or nn.ModuleDict, not in a list or a dict",
            path="model",
        )


def _named_in_containers(model: nn.Module) -> Iterator[tuple[int, str]]:
    """Yield the `id` and a name of each parameter that lies in a list, tuple or dict of a module, at any depth."""
    for prefix, module in model.named_modules():
        for attribute, value in vars(module).items():
            if not attribute.startswith("_"):
                yield from _inside(value, f"{prefix}.{attribute}" if prefix else attribute)


def _inside(value: Any, name: str, depth: int = 3) -> Iterator[tuple[int, str]]:
    from torch import nn

    if isinstance(value, nn.Parameter):
        yield id(value), name
    elif isinstance(value, nn.Module):
        yield from ((id(parameter), f"{name}.{own}") for own, parameter in value.named_parameters())
    elif depth and isinstance(value, (list, tuple, dict)):
        entries = value.items() if isinstance(value, dict) else enumerate(value)
        for key, entry in entries:
            yield from _inside(entry, f"{name}[{key!r}]", depth - 1)
