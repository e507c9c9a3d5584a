"""The schema of `results.json`."""

from __future__ import annotations

from typing import Any

import msgspec

from retspec.records import Report


def results_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a report as it is written to `results.json`."""
    dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "retspec results"}
    return dialect | msgspec.json.schema(Report)
