"""Declarative acceptance checks for PyTorch fine-tuning setups.

For notebooks: `retspec.run("spec.yaml")` returns a `Report`. For plugin authors: the decorators of `retspec.plugin`,
which is the page to read first.
"""

from __future__ import annotations

__version__ = "0.1.0"
