"""Facts about the parameters of a model, counted without weights."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct, field

if TYPE_CHECKING:
    from collections.abc import Iterator


class Group(StrEnum):
    """What a parameter belongs to, by the type of its module and never by its name."""

    ADAPTER = "adapter"
    HEAD = "head"
    OTHER = "other"


class Parameter(Struct, frozen=True):
    """One parameter tensor."""

    name: str
    count: int
    """Number of elements."""
    group: Group
    trainable: bool
    dtype: str = "float32"
    """As torch names it."""


class Parameters(Struct, frozen=True):
    """Every parameter of the model, as peft counts them: the frozen original of a saved head is one of them."""

    parameters: tuple[Parameter, ...]
    adapted_layers: tuple[str, ...] = ()
    """Names of the layers that carry an adapter, with their types: `blocks.0.attn.qkv (Linear)`."""
    scalings: Mapping[str, float] = field(default_factory=dict)
    """Layer name to the factor of the active adapter's update, such as alpha / r, for adapters that have one."""

    @property
    def trainable(self) -> Iterator[Parameter]:
        """The parameters that require a gradient."""
        return (parameter for parameter in self.parameters if parameter.trainable)

    @property
    def total(self) -> int:
        """Elements of all parameters."""
        return sum(parameter.count for parameter in self.parameters)

    @property
    def trainable_total(self) -> int:
        """Elements of the trainable parameters."""
        return sum(parameter.count for parameter in self.trainable)

    def breakdown(self) -> dict[str, int]:
        """Return the trainable elements by group, and the frozen ones."""
        counts = {group.value: 0 for group in Group}
        for parameter in self.trainable:
            counts[parameter.group.value] += parameter.count
        return {**counts, "frozen": self.total - self.trainable_total}
