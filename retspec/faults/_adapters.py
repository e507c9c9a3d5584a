"""Finding the parameters of adapters among those that an optimizer is given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from retspec.subjects.models.structure import adapter_parameters
from retspec.subjects.training.watching.living import outermost_modules

if TYPE_CHECKING:
    from collections.abc import Sequence


def without_adapters(given: Sequence[Any]) -> list[Any] | None:
    """Return the parameters, or groups, of an optimizer without those of adapters; None if none or all are theirs.

    given: parameters, pairs of a name and a parameter, or groups of either.
    """
    adapters = _adapters()
    groups = [{**each, "params": _listed(each["params"])} if isinstance(each, dict) else each for each in given]
    left = [_left(each, adapters) if isinstance(each, dict) else each for each in groups if _is_left(each, adapters)]
    before, after = _count(groups), _count(left)
    return left if 0 < after < before else None


def _adapters() -> set[int]:
    """Return the identities of all that live; a training hands its module to no one."""
    return {key for module in outermost_modules() for key in adapter_parameters(module)}


def _listed(params: Any) -> list[Any]:
    return [params] if hasattr(params, "requires_grad") else [*params]


def _left(group: dict[str, Any], adapters: set[int]) -> dict[str, Any]:
    return {**group, "params": [each for each in group["params"] if _is_left(each, adapters)]}


def _is_left(each: Any, adapters: set[int]) -> bool:
    return id(each[1] if isinstance(each, tuple) else each) not in adapters


def _count(groups: Sequence[Any]) -> int:
    return sum(len(each["params"]) if isinstance(each, dict) else 1 for each in groups)
