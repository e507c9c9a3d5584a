"""What a job of the worker is watched with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from retspec.engine.worker.printing import Printing
    from retspec.subjects.recorded_warnings import WarningRecorder


@dataclass(frozen=True)
class Watch:
    """What the code under test prints, and what it is warned of."""

    printing: Printing
    warnings: WarningRecorder
