"""Mutates specs under atheris and lets nothing but our own refusals through; a script, never collected.

    python -m tests.reliability.fuzz_load -max_total_time=600 tests/cases/specs/good

Folders that are named are read as the corpus, and new inputs are written to the first.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["retspec", "yaml", "jsonschema"]):
    from retspec.errors import SpecError, UsageError
    from retspec.plugins.catalog import gather
    from retspec.spec.load import load_cells
    from retspec.spec.validate import validate_cells

CATALOG = gather(entry_points=False)
SPEC = Path(tempfile.mkdtemp()) / "spec.yaml"


def refuse_or_accept(content: bytes) -> None:
    """Anything else than a spec or a refusal that can be printed is a finding."""
    SPEC.write_bytes(content)
    try:
        validate_cells(load_cells(SPEC), CATALOG)
    except SpecError as refusal:
        lines = str(refusal).splitlines()
        if len(lines) != len(refusal.problems) or not all(line.isprintable() for line in lines):
            raise AssertionError(lines) from refusal
    except UsageError:
        return


if __name__ == "__main__":
    atheris.Setup(sys.argv, refuse_or_accept)
    atheris.Fuzz()
