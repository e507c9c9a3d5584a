"""`compile_atol` and `min_compile_speedup`: is the compiled model the same, and faster?"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from retspec.facts import Compilation
from retspec.facts.timing import steady_median
from retspec.plugin import Observed, check


@check(
    direction="at most",
    advice="Compile with `with: {backend: eager}` and `aot_eager` in turn to see which stage differs; keep the "
    "operation out of the graph with `torch.compiler.disable`.",
)
def compile_atol(compilation: Compilation) -> Observed[Annotated[float, Meta(ge=0)]]:
    """Does the compiled model give the same outputs?

    Why it matters:
        A compiler fuses and reorders. Rounding differs a little; a graph that was captured wrongly differs a lot.

    Example:
        compile_atol: 1e-4

    What the number means:
        Largest absolute difference of an output, eval mode, compiled against eager. Healthy in single precision: 1e-6.
    """
    return Observed(compilation.difference, {"backend": compilation.backend, "largest output": compilation.scale})


@check(
    direction="at least",
    advice="Use `with: {backend: inductor}`; look for graph breaks, and for shapes that change from batch to batch.",
)
def min_compile_speedup(compilation: Compilation) -> Observed[float]:
    """Is the compiled model faster?

    Why it matters:
        Compiling costs minutes at every start. It has to come back.

    Example:
        min_compile_speedup: {limit: 1.1, with: {backend: inductor}}

    What the number means:
        Median time of a forward pass of the eager model divided by that of the compiled one, after warm-up. No verdict
        when the times scatter too widely.
    """
    eager, compiled = (steady_median(times, "passes") for times in (compilation.eager, compilation.compiled))
    return Observed(eager / compiled, {"backend": compilation.backend, "eager s": eager, "compiled s": compiled})
