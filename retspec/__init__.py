"""Declarative acceptance checks for PyTorch fine-tuning setups.

For notebooks: `retspec.run("spec.yaml")` returns a `Report`. For plugin authors: the decorators of `retspec.plugin`,
which is the page to read first.
"""

from __future__ import annotations

from retspec._version import __version__
from retspec.plugin import Inconclusive, Observed, check, hookimpl, measurement
from retspec.records import Report
from retspec.run import run

__all__ = ["Inconclusive", "Observed", "Report", "__version__", "check", "hookimpl", "measurement", "run"]
