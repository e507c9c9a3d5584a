"""The measurement `warned`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.facts import Warned
from retspec.plugin import Cost, measurement

if TYPE_CHECKING:
    from collections.abc import Callable

    from retspec.subjects.models.skeleton import Skeleton


@measurement(cost=Cost.LAST, needs_torch=False)
def warned(optional_skeleton: Skeleton | None, recorded_warnings: Callable[[], Warned]) -> Warned:  # noqa: ARG001 - made, so that its warnings are there
    """Gather the warnings of everything that was made before: the model, the data, the other measurements."""
    return recorded_warnings()
