"""`SealedModel`: the model that measurements share, and that each of them gets as it was built."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.errors import Spoilt
from retspec.subjects.models.seal import Seal

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn


class SealedModel:
    """Builds a model at the first demand, and again after a measurement has changed it.

    build: returns the model.
    forget: lets go of what an earlier model was built from; None for a model that cannot be built twice.
    """

    def __init__(self, build: Callable[[], nn.Module], forget: Callable[[], None] | None) -> None:
        self._build = build
        self._forget = forget
        self._model: nn.Module | None = None
        self._seal: Seal | None = None

    def get(self) -> nn.Module:
        """Return the model, without gradients, as every measurement leaves it.

        Raises Spoilt when it cannot be built again as it was, and what building it raises.
        """
        if self._model is None:
            if self._seal is not None and self._forget is None:
                raise Spoilt
            model = self._build()
            for parameter in model.parameters():
                parameter.grad = None
            seal = Seal.of(model)
            if self._seal is not None and not self._seal.is_of_twin(seal):
                raise Spoilt
            self._model, self._seal = model, seal
        return self._model

    def holds(self, *, thorough: bool) -> bool:
        """Whether the model is what it was when it was built; drop it if not.

        thorough: look at every setting of its modules, too.
        """
        if self._model is None or self._seal is None or self._seal.holds(self._model, thorough=thorough):
            return True
        self._model = None
        if self._forget is not None:
            self._forget()
        return False
