"""The files that results are about: whether those that are there now have the hashes that were recorded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from retspec.characters import one_line
from retspec.errors import SubjectError
from retspec.results.prediction_hashes import prediction_hashes, reads_predictions
from retspec.subjects.checkpoints import chosen
from retspec.subjects.models.saved_adapter import find_adapter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from retspec.records import Plan, Report


@dataclass(frozen=True)
class Statement:
    """One thing that was verified, and whether it holds."""

    holds: bool
    text: str
    is_open: bool = False
    """Whether it could not be compared, which does not make it wrong."""


def agreement(name: str, recorded: str, found: str) -> Statement:
    """Return whether a recorded hash is the one that was found."""
    name = one_line(name)
    if recorded == found:
        return Statement(holds=True, text=f"{name}: SHA-256 {found}, as recorded")
    was = f"the results are about {one_line(recorded)}" if recorded else "the results name none"
    return Statement(holds=False, text=f"{name}: SHA-256 {found or 'of none'}, but {was}")


def of_weights(recorded: Report, plan: Plan, *, without: str = "") -> Iterator[Statement]:
    """Yield whether the checkpoint and the adapter of a spec are those that were measured.

    Weights that are not on this machine are left open: results are often verified elsewhere. without: the one of both
    that is verified already.
    """
    model, folder = plan.spec.model, Path(plan.spec.file).resolve().parent
    if model is None:
        return
    checkpoint, adapter = model.checkpoint, model.adapter
    if checkpoint is not None and without != "checkpoint":
        yield from _weights(
            "checkpoint", recorded.provenance.checkpoint_sha256, lambda: chosen(checkpoint, folder).sha256()
        )
    if adapter is not None:
        found = recorded.provenance.adapter_sha256
        yield from _weights("adapter", found, lambda: _adapter_sha256(adapter, folder))


def _adapter_sha256(name: str, folder: Path) -> str:
    return find_adapter(name, folder).weights.sha256()


def _weights(name: str, recorded: str, read: Callable[[], str]) -> Iterator[Statement]:
    """Yield nothing for weights that were not loaded."""
    if not recorded:
        return
    try:
        yield agreement(name, recorded, read())
    except SubjectError as error:
        yield Statement(holds=True, text=f"{name}: not compared: {one_line(str(error))}", is_open=True)


def of_config(recorded: Report, plan: Plan) -> Iterator[Statement]:
    """Yield whether the training config of a spec has the values that it had."""
    found = plan.spec.config.sha256 if plan.spec.config else ""
    if recorded.provenance.config_sha256 or found:
        yield agreement("config", recorded.provenance.config_sha256, found)


def of_predictions(recorded: Report, plan: Plan) -> Iterator[Statement]:
    """Yield whether each file of predictions is the one that verdicts are about."""
    section, known = plan.spec.predictions, recorded.provenance.predictions_sha256
    read = any(reads_predictions(plan, each.key) for each in recorded.measurements)
    found = prediction_hashes(plan, made=read or section is None or section.make is None)
    for file, sha256 in known.items():
        if file in found:
            yield agreement(file, sha256, found[file])
        else:
            text = f"{one_line(file)}: it is not there to be compared, and the results are about {one_line(sha256)}"
            yield Statement(holds=False, text=text)
    for file in found.keys() - known.keys():
        yield agreement(file, "", found[file])
