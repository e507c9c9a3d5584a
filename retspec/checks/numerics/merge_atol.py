"""`merge_atol`."""

from __future__ import annotations

from retspec.checks.numerics._reading import Atol, merging_details
from retspec.facts import Merging
from retspec.plugin import Observed, check


@check(
    direction="at most",
    advice="Look at the worst layer in the details: if its weights are off, its merge is wrong or was skipped; if none "
    "is, compare dropout, scaling (alpha / r) and dtype of the two paths. A merge into a weight that the forward pass "
    "recomputes is lost: remove weight norm before wrapping (`torch.nn.utils.parametrize.remove_parametrizations`).",
)
def merge_atol(merging: Merging) -> Observed[Atol]:
    """Does the merged model give the same outputs as the adapter?

    Why it matters:
        Deployments often use the merged model, as peft's `merge_and_unload()` returns it
        (https://huggingface.co/docs/peft/developer_guides/lora). A layer that merging dropped makes it a different
        model from the one that was validated.

    Example:
        merge_atol: 1e-5

    What the number means:
        Largest absolute difference of an output, eval mode, in single precision. Weights in half precision are cast up:
        there a dropped layer would hide in the rounding. Factors that start at zero get random values first, since
        merging W + (alpha / r) B A of LoRA (https://arxiv.org/abs/2106.09685) with B = 0 changes nothing. Healthy:
        about 1e-6.
    """
    return Observed(merging.merged, merging_details(merging))
