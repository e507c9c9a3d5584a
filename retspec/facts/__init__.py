"""What measurements return: frozen records of plain data, so that checks need no torch and facts can be recorded."""

from retspec.facts.batches import BatchRequest
from retspec.facts.geometry import AttentionShape, Classifier, Geometry, PatchEmbedding
from retspec.facts.merging import LayerDeviation, Merging
from retspec.facts.parameters import Group, Parameter, Parameters
from retspec.facts.ranks import RankCount, Ranks
from retspec.facts.training import AdapterEffect, GradientHistory, Training

__all__ = [
    "AdapterEffect",
    "AttentionShape",
    "BatchRequest",
    "Classifier",
    "Geometry",
    "GradientHistory",
    "Group",
    "LayerDeviation",
    "Merging",
    "Parameter",
    "Parameters",
    "PatchEmbedding",
    "RankCount",
    "Ranks",
    "Training",
]
