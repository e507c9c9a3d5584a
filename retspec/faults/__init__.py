"""Faults: what `retspec prove` plants into a subject, to see which criteria notice it. For authors of new ones, too.

A fault is a function that spoils one thing as people do by mistake. Its only parameter says what it changes::

    from torch import nn

    from retspec.faults import DoesNotApply, Fault, fault
    from retspec.plugin import hookimpl

    @fault(families="learning numerics", noticed_by="dead_gradients unchanged_params")
    def last_block_detached(model: nn.Module):
        '''The features of the last block are detached.'''
        if not hasattr(model, "blocks"):
            raise DoesNotApply("the model has no blocks")
        hook = model.blocks[-1].register_forward_hook(lambda _block, _inputs, output: output.detach())
        yield
        hook.remove()

    @hookimpl
    def retspec_faults() -> list[Fault]:
        return [last_block_detached]

What comes after `yield` gives the subject back as it was, bit by bit: that is verified, and a base model that differs
is made again. A function without `yield` may return another thing in place of the one that it got.

* `spec`: the valid `Spec`, before anything is built. Return another one, by `dataclasses.replace`.
* `model`: the wrapped module, on the CPU or, for criteria that need no weights, on the meta device. Of a training of
  the user's own, the module that it makes: on its device, when its first optimizer is made, or as soon as peft has
  wrapped it if the fault changes what trains. It is then undone after all that is measured on that module.
* `trainer`: each `retspec.toolkit.Trainer` of the training that is not the user's own script.
* `batch`: each `retspec.toolkit.Batch` that is measured with.
* `dataset`: the `retspec.facts.Dataset`, the list of the files.
* `transforms`: the `retspec.toolkit.Transforms` of their images.
* `checkpoint`: the named tensors of the checkpoint, before they are loaded.
* `predictions`: the `retspec.facts.Predictions` that were read or made.
* `own_training`: the `retspec.toolkit.Launch` of the user's own script or trainer, before it starts, here and in every
  process that runs it again or on ranks. Patch what it will call, and undo that after `yield`, which comes back when it
  has run; raise `DoesNotApply` there, too, if the run gave the fault nothing to change. What watches it lies above such
  patches. To lie above the watch, as another argument of a criterion must, yield a launch whose `start` is another.

Raise `DoesNotApply("why")` for a subject that cannot have the fault: it is left out, and the reason is shown. Random
numbers are seeded. The first line of the docstring is the mistake, as a sentence in the present tense. A `Fault` is
made by `@fault`; a `Frequency` says how often people make the mistake.
"""

from __future__ import annotations

import inspect
import sys
from typing import TYPE_CHECKING, Any

from retspec.errors import DoesNotApply
from retspec.plugin import discover, hookimpl
from retspec.plugins.kinds import REACH, Fault, Frequency
from retspec.plugins.signatures import read_signature

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["DoesNotApply", "Fault", "Frequency", "fault"]


def fault(
    *,
    families: str,
    noticed_by: str,
    frequency: Frequency = Frequency.SOMETIMES,
    of_training: bool = False,
) -> Callable[[Callable[..., Any]], Fault]:
    """Make a fault from a function; see the top of this page.

    families: the families of built-in checks that it may touch, separated by spaces; a criterion of another family is
        not measured again. Checks of plugins are, wherever they read what the fault changes.
    noticed_by: names of checks that notice it, the best one first, separated by spaces.
    frequency: how often people make this mistake.
    of_training: whether it shows in nothing but a training, so that a model that is trained already cannot have it.

    Raises TypeError for a function whose parameter is nothing that a fault can change.
    """

    def decorate(function: Callable[..., Any]) -> Fault:
        positional, keyword = read_signature(function)
        name = str(getattr(function, "__name__", function))
        if len(positional) != 1 or positional[0] not in REACH or keyword:
            raise TypeError(f"fault {name!r} must have one parameter, which is one of {', '.join(REACH)}")
        return Fault(
            name=name,
            function=function,
            part=positional[0],
            families=frozenset(families.split()),
            noticed_by=tuple(noticed_by.split()),
            frequency=frequency,
            of_training=of_training,
            doc=inspect.getdoc(function) or "",
        )

    return decorate


@hookimpl
def retspec_faults() -> list[Fault]:
    """Offer every fault below this package."""
    return discover(sys.modules[__name__], Fault)
