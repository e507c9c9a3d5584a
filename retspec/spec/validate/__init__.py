"""Validate: plain data → Spec, against the JSON Schema composed from the catalog."""

from retspec.spec.validate.layers import flattened
from retspec.spec.validate.results import results_schema
from retspec.spec.validate.schema import compose_schema
from retspec.spec.validate.validating import validate, validate_cells

__all__ = ["compose_schema", "flattened", "results_schema", "validate", "validate_cells"]
