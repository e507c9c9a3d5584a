"""`seed_spread`."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from retspec.checks.predictions._reading import observed
from retspec.facts import Statistic
from retspec.plugin import Observed, check


@check(
    direction="at most",
    advice="Report the mean of the runs instead of the best one; train longer, average weights or lower the learning "
    "rate, and compare models by more seeds.",
)
def seed_spread(run_spread: Statistic) -> Observed[Annotated[float, Meta(ge=0, le=2)]]:
    """How much does a metric vary over runs that differ by their seed alone?

    Why it matters:
        Fine-tuning with few images depends on the seed, by more than many improvements that papers report
        (https://arxiv.org/abs/2002.06305). A model that was picked as the best of five looks better than the next one.

    Example:
        seed_spread: {limit: 0.02, with: {runs: [seed_1.csv, seed_2.csv], metric: auroc, positive: [2, 3, 4]}}

    What the number means:
        The largest minus the smallest value of the metric, over the judged predictions and those of `runs`, which are
        about the same images; or with `spread: deviation` the sample standard deviation. `metric` is auroc, sensitivity
        or specificity at a `threshold`, accuracy or qwk; the details have the value of each run. No verdict below
        `min_runs` (3) runs, and where two files hold the same scores. More runs have a larger range, so that the number
        of runs belongs to the limit. The variation over patients is another one: see the interval of the metric itself.
    """
    return observed(run_spread)
