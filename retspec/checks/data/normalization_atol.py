"""`normalization_atol`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from retspec.facts import Expectations, Pipeline
from retspec.plugin import Inconclusive, Observed, Relative, SubjectError, check

if TYPE_CHECKING:
    from collections.abc import Sequence

Mean = Annotated[
    list[float], Meta(min_length=1, description="Per channel, for pixels from 0 to 1; by default the model's.")
]
Std = Annotated[list[float], Meta(min_length=1, description="Per channel; by default the model's.")]


@check(
    direction="at most",
    advice="Normalize with the mean and std that the backbone was trained with: its paper gives them; timm's entry "
    "for the architecture may belong to other weights.",
)
def normalization_atol(
    pipeline: Pipeline, expectations: Expectations, *, mean: Mean | None = None, std: Std | None = None
) -> Observed[Relative]:
    """Are images normalized as they were for the backbone's training?

    Why it matters:
        Other constants shift and scale every pixel. The model still learns, only worse, and the reason is hard to see.

    Example:
        normalization_atol: {limit: 1e-3, with: {mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225]}}

    What the number means:
        The largest deviation of a channel's mean or std from what `with` gives, or else from the model's own. Both are
        found by sending black and white images through the pipeline: out = (x - mean) / std for x in [0, 1]. No verdict
        where the two always agree or the model's values may be wrong: a transform that is made from the model, or
        weights that come from a file.
    """
    wanted_mean = _wanted(mean, expectations.mean, "mean", expectations)
    wanted_std = _wanted(std, expectations.std, "std", expectations)
    deviations = [*_deviations(pipeline.mean, wanted_mean, "mean"), *_deviations(pipeline.std, wanted_std, "std")]
    details = {
        "mean": list(pipeline.mean),
        "expected mean": list(wanted_mean),
        "std": list(pipeline.std),
        "expected std": list(wanted_std),
    }
    return Observed(max(deviations), details)


def _wanted(
    given: Sequence[float] | None, own: Sequence[float] | None, name: str, expectations: Expectations
) -> Sequence[float]:
    """Return what the spec says of mean or std, else what the model says, if that can prove anything."""
    if given is not None:
        return given
    say_it = f"say what the backbone was trained with: `with: {{{name}: [...]}}`"
    if own is None:
        raise SubjectError(f"no model reports its {name}; {say_it}", path="checks")
    if expectations.from_file:
        raise Inconclusive(f"the model's own {name} says nothing of the weights in its checkpoint; {say_it}")
    if expectations.are_followed:
        raise Inconclusive(f"the transform takes its {name} from the model, so that they always agree; {say_it}")
    return own


def _deviations(seen: Sequence[float], wanted: Sequence[float], name: str) -> list[float]:
    if len(wanted) not in {1, len(seen)}:
        raise SubjectError(
            f"{name} is given for {len(wanted)} channels, and {len(seen)} come out of the pipeline", path="checks"
        )
    return [abs(value - wanted[index % len(wanted)]) for index, value in enumerate(seen)]
