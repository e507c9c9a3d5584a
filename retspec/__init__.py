"""Declarative acceptance checks for PyTorch fine-tuning setups.

For notebooks and test suites: `retspec.run("spec.yaml")`, or `retspec.run(model=..., data=..., checks={...})` with
live objects, returns a `Report`; what it raises are `SpecError` and its kin. For plugin authors: the decorators of
`retspec.plugin`, which is the page to read first.

What is public is imported when it is asked for (https://peps.python.org/pep-0562/), so that `python -m retspec` can
say what Ctrl-C does before anything of weight is imported.
"""

from __future__ import annotations

from importlib import import_module

from retspec._version import __version__

__all__ = [
    "Inconclusive",
    "NotMet",
    "NothingSelected",
    "Observed",
    "PluginError",
    "Report",
    "ReportError",
    "Result",
    "RetspecError",
    "SpecError",
    "UsageError",
    "Verdict",
    "__version__",
    "check",
    "hookimpl",
    "measurement",
    "run",
    "run_all",
]

TYPE_CHECKING = False  # type checkers take it for that of `typing`, whose import takes 10 ms
if TYPE_CHECKING:
    from retspec.calls import run, run_all
    from retspec.errors import NothingSelected, PluginError, ReportError, RetspecError, SpecError, UsageError
    from retspec.plugin import Inconclusive, Observed, check, hookimpl, measurement
    from retspec.records import NotMet, Report, Result, Verdict
else:
    _NAMES = {
        "retspec.calls": ("run", "run_all"),
        "retspec.errors": (
            *("NothingSelected", "PluginError", "ReportError"),
            *("RetspecError", "SpecError", "UsageError"),
        ),
        "retspec.records": ("NotMet", "Report", "Result", "Verdict"),
    }
    _HOMES = {name: home for home, names in _NAMES.items() for name in names}

    def __getattr__(name: str) -> object:
        if name not in __all__:
            raise AttributeError(f"module 'retspec' has no attribute {name!r}")
        return getattr(import_module(_HOMES.get(name, "retspec.plugin")), name)

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
