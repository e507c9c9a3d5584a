"""Validate: plain data → Spec, against the JSON Schema composed from the catalog."""

from retspec.validate.flow import validate, validate_cells
from retspec.validate.results import results_schema
from retspec.validate.schema import compose_schema

__all__ = ["compose_schema", "results_schema", "validate", "validate_cells"]
