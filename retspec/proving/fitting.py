"""Whether a subject can have a fault at all, as far as its spec says that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.plugins.kinds import MODEL, OF_SPEC, OWN_TRAINING

if TYPE_CHECKING:
    from retspec.plugins.catalog import Catalog
    from retspec.plugins.kinds import Fault
    from retspec.records import Spec

_BROUGHT = frozenset({OF_SPEC, "trainer", "batch", "checkpoint"})
"""What a training of the user's own brings, and retspec does not make; its model can have a fault when it is made."""
_OF_MODEL = _BROUGHT | {MODEL}
"""What there is none of without a model."""


def is_own_training(spec: Spec, catalog: Catalog) -> bool:
    """Whether the training of a spec is the user's own, which brings its model and its data."""
    launchers = {source.name for source in catalog.launchers}
    return spec.training is not None and spec.training.source in launchers


def why_unfit(fault: Fault, spec: Spec, catalog: Catalog) -> str:
    """Return why the subject of a spec cannot have a fault; empty if it may."""
    is_launched = is_own_training(spec, catalog)
    if fault.part == OWN_TRAINING:
        return "" if is_launched else "the training is no script or trainer of your own"
    if is_launched and fault.part in _BROUGHT:
        return "the training is a program of your own, which brings its model and its batches"
    no_files = "" if catalog.data_sources[spec.data.source].gives_files else "the data is no list of files"
    lacks = {
        "dataset": no_files,
        "transforms": no_files,
        "checkpoint": "" if spec.model and spec.model.checkpoint else "the model has no checkpoint",
        "predictions": "" if spec.predictions else "the spec has no predictions",
    }
    if spec.model is None and fault.part in _OF_MODEL and not is_launched:
        return "the spec has no model"
    if fault.of_training and _is_trained(spec) and not _trains(fault, spec, catalog):
        return "the model is trained already, and no criterion trains it on"
    return lacks.get(fault.part, "")


def _is_trained(spec: Spec) -> bool:
    """Whether the spec is about what a training left: its predictions, or its adapter."""
    has_adapter = spec.model is not None and spec.model.adapter is not None
    return spec.training is None and (spec.predictions is not None or has_adapter)


def _trains(fault: Fault, spec: Spec, catalog: Catalog) -> bool:
    """Whether a criterion trains, or asks about what would train."""
    used = {criterion.check for criterion in spec.criteria}
    return not used.isdisjoint(fault.noticed_by) or any(
        "trainer" in catalog.parts_of(catalog.checks[name]) for name in used
    )
