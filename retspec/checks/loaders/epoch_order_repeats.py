"""`epoch_order_repeats`."""

from __future__ import annotations

from retspec.checks.loaders._reading import of_all
from retspec.facts import EpochOrders
from retspec.plugin import Inconclusive, Observed, check


@check(
    direction="equal",
    default_limit=False,
    advice="Set `shuffle=True`, or let the sampler draw a new order for each epoch: call `set_epoch` of a "
    "DistributedSampler, and give a sampler no seed of its own that is set again at each start.",
)
def epoch_order_repeats(epoch_orders: EpochOrders) -> Observed[bool]:
    """Do two epochs of the training have the same order?

    Why it matters:
        Batches that are always the same carry the same noise in each epoch, and sorted ones hold a single class. The
        default of a DataLoader is `shuffle=False`
        (https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.DataLoader).

    Example:
        epoch_order_repeats: false

    What the number means:
        True when two epochs of the training loader begin with the same samples in the same order. A DataLoader's
        sampler is asked; of any other iterable, and of a stream, the targets of the first batches are compared. No
        verdict for fewer than 6 samples or targets of one class, and where the order changes only with `set_epoch`:
        whether your loop calls that, a loader does not show. Without `data.loaders`, a training with `train.ranks`
        shows it: what the sampler of each rank drew in two epochs of the watched steps.
    """
    orders = epoch_orders
    if orders.needs_set_epoch:
        raise Inconclusive(
            "the order changes only when the loop calls `set_epoch`, which the loader does not show; "
            "`train: {script: train.py, ranks: 2}` does"
        )
    details = {"samples": of_all(orders.compared, orders.samples), "compared by": orders.compared_by}
    return Observed(orders.repeats, {**details, "loader": orders.loader})
