"""`compile_atol`."""

from __future__ import annotations

from retspec.checks.numerics._reading import Atol
from retspec.facts import Compilation
from retspec.plugin import Observed, check


@check(
    direction="at most",
    advice="Compile with `with: {backend: eager}`, then `aot_eager`, to see which stage differs "
    "(https://docs.pytorch.org/docs/stable/compile/programming_model.reporting_issues.html), and keep the "
    "operation out of the graph with `torch.compiler.disable`.",
)
def compile_atol(compilation: Compilation) -> Observed[Atol]:
    """Does the compiled model give the same outputs?

    Why it matters:
        A compiler fuses and reorders operations. Rounding differs a little; a wrongly captured graph differs a lot.

    Example:
        compile_atol: 1e-4

    What the number means:
        Largest absolute difference of an output, eval mode, compiled against eager. Healthy in single precision: 1e-6.
    """
    return Observed(compilation.difference, {"backend": compilation.backend, "largest output": compilation.scale})
