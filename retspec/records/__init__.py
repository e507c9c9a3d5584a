"""The frozen records that travel along the arrows of the flow: load → validate → plan → measure → judge → report.

Each is plain data: `msgspec` turns it into JSON and back, and its field types are the schema of what is written.
Times are seconds, lines and columns count from 1, shapes are written as in torch: (batch, channels, height, width).
"""

from retspec.records.plan import CheckStep, MeasurementStep, Passes, Plan
from retspec.records.report import (
    EXIT_INTERNAL,
    EXIT_MET,
    EXIT_MISSED,
    EXIT_NO_VERDICT,
    EXIT_NOTHING,
    EXIT_USAGE,
    Measured,
    Outcome,
    Provenance,
    Report,
    Result,
)
from retspec.records.spec import (
    Criterion,
    Data,
    Duration,
    Fraction,
    Lora,
    Model,
    PositiveInt,
    Recipe,
    RunOptions,
    Size,
    Spec,
    Weights,
    bytes_of,
    seconds,
)
from retspec.records.values import Direction, Observed, Severity, Value, Verdict

__all__ = [
    "EXIT_INTERNAL",
    "EXIT_MET",
    "EXIT_MISSED",
    "EXIT_NOTHING",
    "EXIT_NO_VERDICT",
    "EXIT_USAGE",
    "CheckStep",
    "Criterion",
    "Data",
    "Direction",
    "Duration",
    "Fraction",
    "Lora",
    "Measured",
    "MeasurementStep",
    "Model",
    "Observed",
    "Outcome",
    "Passes",
    "Plan",
    "PositiveInt",
    "Provenance",
    "Recipe",
    "Report",
    "Result",
    "RunOptions",
    "Severity",
    "Size",
    "Spec",
    "Value",
    "Verdict",
    "Weights",
    "bytes_of",
    "seconds",
]
