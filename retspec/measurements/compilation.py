"""The measurement `compilation`: what `torch.compile` changes in logits and speed."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Annotated, Any, Literal

from msgspec import Meta

from retspec.errors import Inconclusive, describe
from retspec.facts import Compilation
from retspec.plugin import Cost, Passes, measurement
from retspec.subjects.devices import synchronize
from retspec.subjects.models.outputs import largest_difference, logits_of
from retspec.subjects.models.state import preserved

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor, nn

    from retspec.records import Recipe
    from retspec.subjects.data.batch import Batch

WARM_UP, TIMED = 2, 7


def _passes(recipe: Recipe, backend: str) -> Passes:  # noqa: ARG001 - every counter gets the recipe
    return Passes(forward=2 * (WARM_UP + TIMED))


@measurement(cost=Cost.COMPILE, passes=_passes)
def compilation(
    model: nn.Module,
    batch: Batch,
    progress: Callable[[int, int], None],
    *,
    backend: Annotated[
        Literal["aot_eager", "inductor", "eager"],
        Meta(description="Backend of torch.compile; torch's default, inductor, takes half a minute the first time."),
    ] = "aot_eager",
) -> Compilation:
    """Compare logits and times of the compiled model with those of the eager one, in eval mode.

    Raises Inconclusive when the machine cannot compile, and for logits that are not finite.
    """
    import torch

    with preserved(model), torch.no_grad():
        model.eval()
        progress(1, 2)
        expected, eager = _timed(model, batch.inputs)
        progress(2, 2)
        try:
            actual, compiled = _timed(torch.compile(model, backend=backend), batch.inputs)
        except Exception as error:
            if "Compiler" not in type(error).__name__ and "compiler" not in str(error):
                raise
            raise Inconclusive(f"this machine cannot compile: {describe(error)[:200]}") from error
        finally:
            torch.compiler.reset()
    return Compilation(
        backend=backend,
        difference=largest_difference(expected, actual),
        scale=float(expected.abs().max()),
        eager=eager,
        compiled=compiled,
    )


def _timed(run: Callable[[Tensor], Any], inputs: Tensor) -> tuple[Tensor, tuple[float, ...]]:
    """Return the logits (batch, classes), and the seconds of each pass after the warm-up.

    inputs: (batch, ...).
    """
    seconds = []
    for _turn in range(WARM_UP + TIMED):
        started = perf_counter()
        output = logits_of(run(inputs))
        synchronize(inputs.device)
        seconds.append(perf_counter() - started)
    return output.clone(), tuple(seconds[WARM_UP:])
