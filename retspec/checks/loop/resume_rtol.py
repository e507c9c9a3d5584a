"""`resume_rtol`."""

from __future__ import annotations

from retspec.errors import Inconclusive
from retspec.facts.reruns import TwoRuns
from retspec.plugin import Observed, Relative, check


@check(
    direction="at most",
    advice="Save and load the optimizer, the scheduler, the loss scaler and the random state beside the weights, and "
    "let the sampler go on where it was; the details name which of them differ.",
)
def resume_rtol(resumed_run: TwoRuns) -> Observed[Relative]:
    """Does a resumed training go on as if it had not been interrupted?

    Why it matters:
        A checkpoint that holds the weights alone resets the moments of the optimizer, the rate or the order of the
        data. The loss curve shows a bump at most, and long trainings are resumed often. PyTorch lists what a checkpoint
        for resuming holds (https://docs.pytorch.org/tutorials/recipes/recipes/saving_and_loading_a_general_checkpoint.html).

    Example:
        resume_rtol:
          limit: 1e-6
          with:
            save: [--epochs, "1", --out, run]
            resume: [--epochs, "9", --resume, run/last.pt]

    What the number means:
        The largest relative difference of a loss, over `train.steps` steps after the resumption, from the same steps of
        a run in one go. `save` ends by itself and leaves a checkpoint; `resume` goes on from it; the run in one go has
        the arguments of `train`. Where all losses are equal and the parameters after the last step are not, the number
        is at least the smallest that float32 resolves, 1.2e-7. It takes three runs.
    """
    runs = resumed_run
    pairs = list(zip(runs.first.losses, runs.second.losses, strict=True))
    if any(whole == 0 for whole, _ in pairs):
        raise Inconclusive("a loss of the run in one go is 0: nothing is relative to it")
    largest = max(abs(resumed - whole) / abs(whole) for whole, resumed in pairs)
    least = 1.2e-7 if runs.first.parameters != runs.second.parameters else 0.0
    return Observed(max(largest, least), {"steps": len(pairs), **runs.differences})
