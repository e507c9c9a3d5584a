"""Facts about the parameters that optimizers of the user's own hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

if TYPE_CHECKING:
    from retspec.facts.loop import Loop


class Owners(Struct, frozen=True):
    """Which parameters that train no optimizer holds, and which of an optimizer are not the model's."""

    model: str
    """Class of the module that trains."""
    optimizers: tuple[str, ...]
    """Classes of the optimizers."""
    unowned: tuple[str, ...]
    """Names of the parameters that require a gradient and that no optimizer has."""
    foreign: tuple[str, ...]
    """Parameters of an optimizer that belong to no module that trains, by their shapes."""
    extent: dict[str, Any]
    """The number of watched steps as details, and why there were no more; empty where no step was needed to see it."""

    @staticmethod
    def seen_in(loop: Loop) -> Owners:
        """Return what a watched training showed; raises NoVerdict when no step was taken."""
        kinds = tuple(optimizer.kind for optimizer in loop.optimizers)
        return Owners(loop.model, kinds, loop.unowned, loop.foreign, loop.extent)
