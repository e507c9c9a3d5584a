"""`reload_atol`."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from retspec.facts import Reloading
from retspec.plugin import Inconclusive, Observed, check


@check(
    direction="at most",
    advice="Name every trained module in `model.lora.modules_to_save`: what is trained but not saved, as listed in the "
    "details, starts at random when the adapter is loaded.",
)
def reload_atol(reloading: Reloading) -> Observed[Annotated[float, Meta(ge=0)]]:
    """Does a saved adapter come back as it was?

    Why it matters:
        A head that trains but is not saved is random after loading. The validation score was true, the file is not it.

    Example:
        reload_atol: 1e-6

    What the number means:
        Largest absolute difference of an output before saving and after everything that trains was initialized anew and
        the adapter was loaded from its file. Healthy: exactly zero.
    """
    if reloading.effect == 0:
        raise Inconclusive("initializing what trains anew changes no output, so a loss would not show")
    return Observed(reloading.difference, {"not saved": list(reloading.not_saved), "to be undone": reloading.effect})
