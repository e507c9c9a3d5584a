"""`equal_worker_samples`."""

from __future__ import annotations

from retspec.checks.loaders._reading import of_all
from retspec.facts import WorkerDraws
from retspec.plugin import Count, Inconclusive, Observed, check


@check(
    direction="at most",
    unit="workers",
    default_limit=0,
    advice="Draw from `random`, `numpy.random` or `torch`, which a DataLoader seeds in each worker. Seed a generator "
    "of your own there: in `worker_init_fn`, from `torch.initial_seed()`.",
)
def equal_worker_samples(worker_draws: WorkerDraws) -> Observed[Count]:
    """Does each worker process draw its own augmentations?

    Why it matters:
        A worker is a copy of the process. A random generator that the dataset keeps is copied with it, so that all
        workers augment alike, and again in each epoch
        (https://docs.pytorch.org/docs/stable/notes/faq.html#my-data-loader-workers-return-identical-random-numbers).

    Example:
        equal_worker_samples: {limit: 0, with: {workers: 2}}

    What the number means:
        Workers of the training loader that augment the same items exactly as an earlier worker does: 16 items, each
        read twice by each. No verdict for fewer than two workers, where the two reads of a worker are equal, so that
        nothing is drawn, and for a stream.
    """
    draws = worker_draws
    if not draws.varies:
        raise Inconclusive(f"{draws.read} items are the same at each reading: nothing is drawn that could be equal")
    details = {"workers": draws.workers, "items": of_all(draws.read, draws.items), "equal": [*draws.equal]}
    return Observed(len(draws.equal), details)
