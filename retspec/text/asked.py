"""What a run was asked for beside its spec, as its command line has it."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from retspec.text.wording import bounded

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from retspec.records import Asked, Report

_OWN_OPTIONS = {
    "run.device": "--device",
    "run.executor": "--executor",
    "run.seed": "--seed",
    "run.seed_count": "--seeds",
}
"""The place of a spec to the option that overrides it."""


def run_with(report: Report) -> str:
    """Return that a run is of a part of its spec, and the options that it had; empty for the whole without any."""
    options = " ".join(_options(report.asked))
    part = "A part of the spec" if report.is_partial else ""
    return f"{part}{', run with ' if part else 'Run with '}{bounded(options)}" if options else part


def _options(asked: Asked) -> Iterator[str]:
    for option, values in {
        "-k": asked.select,
        "--tag": asked.tags,
        "--skip": asked.skip,
        "--cell": asked.cells,
    }.items():
        yield from (f"{option} {shlex.quote(value)}" for value in values)
    if asked.last_failed:
        yield "--last-failed"
    yield from _overriding(asked.overrides)


def has_own_option(override: str) -> bool:
    """Whether an option of its own gives a value: it says how a spec is run, not what it asks."""
    return override.partition("=")[0] in _OWN_OPTIONS


def overriding(overrides: Sequence[str]) -> str:
    """Return the options that give values of the spec."""
    return bounded(" ".join(_overriding(overrides)))


def _overriding(overrides: Sequence[str]) -> Iterator[str]:
    for override in overrides:
        place, _, value = override.partition("=")
        own = _OWN_OPTIONS.get(place)
        yield f"{own} {shlex.quote(value)}" if own else f"--set {shlex.quote(override)}"
