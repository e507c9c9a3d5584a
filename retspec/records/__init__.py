"""The frozen records that travel along the arrows of the flow: load → validate → plan → measure → judge → report.

Each is plain data: `msgspec` turns it into JSON and back, and its field types are the schema of what is written.
Times are seconds, lines and columns count from 1, shapes are written as in torch: (batch, channels, height, width).
"""

from retspec.records.baseline import Baseline, Blessed, Blessing
from retspec.records.plan import CheckStep, MeasurementStep, Passes, Plan
from retspec.records.quantities import (
    Dtype,
    Duration,
    Fraction,
    PositiveInt,
    Size,
    bytes_of,
    seconds,
)
from retspec.records.recipe import Recipe
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
    exit_code_of,
)
from retspec.records.sections import (
    OWN_TRANSFORM,
    BatchSize,
    Config,
    Data,
    Fill,
    Folder,
    Lora,
    Model,
    Preprocessing,
    RunOptions,
    Sha256,
    TransformChoice,
    Weights,
)
from retspec.records.spec import (
    Criterion,
    Regression,
    Slack,
    Spec,
    Waiver,
)
from retspec.records.values import Direction, Observed, Severity, Value, Verdict, plain

__all__ = [
    "EXIT_INTERNAL",
    "EXIT_MET",
    "EXIT_MISSED",
    "EXIT_NOTHING",
    "EXIT_NO_VERDICT",
    "EXIT_USAGE",
    "OWN_TRANSFORM",
    "Baseline",
    "BatchSize",
    "Blessed",
    "Blessing",
    "CheckStep",
    "Config",
    "Criterion",
    "Data",
    "Direction",
    "Dtype",
    "Duration",
    "Fill",
    "Folder",
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
    "Preprocessing",
    "Provenance",
    "Recipe",
    "Regression",
    "Report",
    "Result",
    "RunOptions",
    "Severity",
    "Sha256",
    "Size",
    "Slack",
    "Spec",
    "TransformChoice",
    "Value",
    "Verdict",
    "Waiver",
    "Weights",
    "bytes_of",
    "exit_code_of",
    "plain",
    "seconds",
]
