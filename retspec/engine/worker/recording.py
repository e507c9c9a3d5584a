"""What is recorded beside the facts of a job."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from retspec.engine.worker.printing import Printing
    from retspec.subjects.recorded_warnings import WarningRecorder


@dataclass(frozen=True)
class Recording:
    """What the code under test prints, and what it is warned of."""

    printing: Printing
    warnings: WarningRecorder
