"""Declarative acceptance checks for PyTorch fine-tuning setups.

For notebooks: `retspec.run("spec.yaml")` returns a `Report`. For plugin authors: the decorators of `retspec.plugin`,
which is the page to read first.

What is public is imported when it is asked for (https://peps.python.org/pep-0562/), so that `python -m retspec` can
say what Ctrl-C does before anything of weight is imported.
"""

from __future__ import annotations

from importlib import import_module

from retspec._version import __version__

__all__ = ["Inconclusive", "Observed", "Report", "__version__", "check", "hookimpl", "measurement", "run"]

TYPE_CHECKING = False  # type checkers take it for that of `typing`, whose import takes 10 ms
if TYPE_CHECKING:
    from retspec.plugin import Inconclusive, Observed, check, hookimpl, measurement
    from retspec.records import Report
    from retspec.running import run
else:
    _HOMES = {"Report": "retspec.records", "run": "retspec.running"}

    def __getattr__(name: str) -> object:
        if name not in __all__:
            raise AttributeError(f"module 'retspec' has no attribute {name!r}")
        return getattr(import_module(_HOMES.get(name, "retspec.plugin")), name)

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
