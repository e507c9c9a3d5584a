"""`min_compile_speedup`."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from retspec.facts import Compilation
from retspec.facts.timing import steady_median
from retspec.plugin import Observed, check


@check(
    direction="at least",
    advice="Use `with: {backend: inductor}`; look for graph breaks, and for shapes that change from batch to batch.",
)
def min_compile_speedup(compilation: Compilation) -> Observed[Annotated[float, Meta(ge=0)]]:
    """Is the compiled model faster?

    Why it matters:
        Compiling costs minutes at every start. It must save more than that.

    Example:
        min_compile_speedup: {limit: 1.1, with: {backend: inductor}}

    What the number means:
        Median time of a forward pass of the eager model divided by that of the compiled one, after warm-up. No verdict
        when the times scatter too widely.
    """
    eager, compiled = (steady_median(times, "passes") for times in (compilation.eager, compilation.compiled))
    return Observed(eager / compiled, {"backend": compilation.backend, "eager s": eager, "compiled s": compiled})
