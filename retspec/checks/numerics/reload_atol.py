"""`reload_atol`."""

from __future__ import annotations

from retspec.checks.numerics._reading import Atol
from retspec.facts import Reloading
from retspec.plugin import Inconclusive, Observed, check


@check(
    direction="at most",
    advice="Name every trained module in `model.lora.modules_to_save`: what is trained but not saved, as listed in the "
    "details, starts at random when the adapter is loaded. For an initialization that changes the base, such as PiSSA, "
    "save with `path_initial_model_for_weight_conversion`, or save the base too.",
)
def reload_atol(reloading: Reloading) -> Observed[Atol]:
    """Does a saved adapter load as it was?

    Why it matters:
        A head that trains but is not saved is random after loading
        (https://huggingface.co/docs/peft/developer_guides/troubleshooting). The validation score was real, but the file
        does not reproduce it.

    Example:
        reload_atol: 1e-6

    What the number means:
        Largest absolute difference of an output before saving and after the adapter was loaded from its file, as in
        another process. Healthy: exactly zero. With `model.lora` or `model.adapter` it is loaded onto a base that is
        made again: a source that gives another base each time is found out. A model that has its adapter from a factory
        keeps its base, and all its trainable weights are initialized again before loading. An initialization by name,
        such as `pissa_niter_4`, may change the base, and peft runs it again when it loads the adapter
        (https://huggingface.co/docs/peft/developer_guides/lora). So it runs again here too: one that draws random
        numbers then gives another base than the one that was trained. Every adapter of the model is saved and loaded,
        under its own name.
    """
    if reloading.effect == 0:
        raise Inconclusive("initializing the trained weights again changes no output, so losing them would not show")
    details: dict[str, object] = {"not saved": list(reloading.not_saved), "to be undone": reloading.effect}
    if reloading.initialization:
        details["initialized again on loading"] = f"init_lora_weights={reloading.initialization}"
    return Observed(reloading.difference, details)
