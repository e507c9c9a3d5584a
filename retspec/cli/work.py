"""What a run is busy with: its steps, and how long the rest of them takes."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import monotonic

LONG = 5.0
"""Seconds of steps after which the time that is left is shown: earlier it would jump."""
_MINUTE, _HOUR = 60, 3600


@dataclass
class Work:
    """One activity, and the steps that it reports."""

    activity: str
    prefix: str = ""
    """The name of the report that it is for, where there are several."""
    _first: tuple[int, float] = (0, 0.0)
    """The first step that was reported, and when."""
    _last: tuple[int, float] = (0, 0.0)
    _total: int = field(default=0)

    def take(self, step: int, total: int, now: float | None = None) -> None:
        """Note that a step begins; 0 of 0 is no step."""
        if not total:
            return
        now = monotonic() if now is None else now
        if not self._total or step <= self._last[0]:  # a second round has a pace of its own
            self._first = step, now
        self._last, self._total = (step, now), total

    def steps(self) -> str:
        """Return the step at work, as the end of a phrase; empty without steps."""
        return f", step {self._last[0]:,} of {self._total:,}" if self._total else ""

    def left(self, now: float | None = None) -> str:
        """Return how long the rest takes at the pace so far, as the end of a phrase; empty if that is not known."""
        now = monotonic() if now is None else now
        (first, begun), (step, since) = self._first, self._last
        if step <= first or now - begun < LONG:
            return ""
        pace = (since - begun) / (step - first)
        rest = pace * (self._total - step + 1) - (now - since)
        return f", about {rough_time(rest)} left" if rest > 0 else ""


def rough_time(seconds: float) -> str:
    """Return a duration as a person would say it: `40 s`, `3 min`, `1 h 20 min`."""
    if seconds < _MINUTE:
        return f"{max(round(seconds), 1)} s"
    minutes = round(seconds / _MINUTE)
    hours, rest = divmod(minutes, 60)
    return f"{minutes} min" if not hours else f"{hours} h {rest} min"


def clock_time(seconds: float) -> str:
    """Return a duration as a clock shows it: `00:41`, `1:02:03`."""
    whole = int(seconds)
    hours, rest = divmod(whole, _HOUR)
    clock = f"{rest // _MINUTE:02}:{rest % _MINUTE:02}"
    return f"{hours}:{clock}" if hours else clock
