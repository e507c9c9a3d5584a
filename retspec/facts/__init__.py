"""What measurements return: frozen records of plain data, so that checks need no torch and facts can be recorded.

They are structs of msgspec: every command imports all of them, and to define a frozen dataclass takes many times as
long; see https://jcristharif.com/msgspec/benchmarks.html#structs. `msgspec.structs` has their `replace` and `asdict`.
"""

from retspec.facts.agreement import (
    Compilation,
    Evaluation,
    GradientAgreement,
    Isolation,
    Reloading,
    Repetition,
    TensorDeviation,
)
from retspec.facts.batches import BatchRequest
from retspec.facts.checkpoints import Checkpoint, Loading, ModuleCoverage, ShapeMismatch
from retspec.facts.config import (
    ConfigReadings,
    ConfigReads,
    FollowedConfig,
    NamedPath,
    NamedPaths,
    OutputFolder,
    OutputFolders,
    Violation,
    Violations,
)
from retspec.facts.datasets import (
    MOST_NAMED,
    BlankImage,
    Copy,
    CorruptImage,
    Dataset,
    Example,
    EyePair,
    Eyes,
    Images,
    Labels,
    NearCopy,
    OutsideLabel,
    SharedGroup,
    Split,
    Splits,
    Unlisted,
    UnlistedFile,
    UnusualImage,
)
from retspec.facts.distributed import DistributedRun, GradientsOfRanks, Pass, RankDeviation, RankTrace
from retspec.facts.geometry import AttentionShape, Classifier, Geometry, PatchEmbedding
from retspec.facts.loader_contents import (
    BadBatch,
    EpochOrders,
    FilesOfLoader,
    ItemReads,
    LoaderFiles,
    SharedSamples,
    Sweep,
    WorkerDraws,
)
from retspec.facts.loaders import DataWait, Loader, Stage, Stages, Throughput
from retspec.facts.loop import (
    Loop,
    WatchedBatch,
    WatchedCriterion,
    WatchedGroup,
    WatchedOptimizer,
    WatchedScheduler,
    WatchedStep,
)
from retspec.facts.memory import Estimate, Fitting, Memory, MemoryEstimate, MemoryFit, StepFlops
from retspec.facts.merging import LayerDeviation, Merging
from retspec.facts.overfitting import Overfitting
from retspec.facts.owners import Owners
from retspec.facts.parallel import Block, ParallelLayers
from retspec.facts.parameters import Group, Parameter, Parameters
from retspec.facts.pipelines import Expectations, Pipeline
from retspec.facts.predictions import Predictions, PredictionTable, Statistic
from retspec.facts.profiling import Operator, Profile
from retspec.facts.ranks import RankCount, Ranks
from retspec.facts.training import AdapterEffect, GradientHistory, Training
from retspec.facts.warned import SeenWarning, Warned

__all__ = [
    "MOST_NAMED",
    "AdapterEffect",
    "AttentionShape",
    "BadBatch",
    "BatchRequest",
    "BlankImage",
    "Block",
    "Checkpoint",
    "Classifier",
    "Compilation",
    "ConfigReadings",
    "ConfigReads",
    "Copy",
    "CorruptImage",
    "DataWait",
    "Dataset",
    "DistributedRun",
    "EpochOrders",
    "Estimate",
    "Evaluation",
    "Example",
    "Expectations",
    "EyePair",
    "Eyes",
    "FilesOfLoader",
    "Fitting",
    "FollowedConfig",
    "Geometry",
    "GradientAgreement",
    "GradientHistory",
    "GradientsOfRanks",
    "Group",
    "Images",
    "Isolation",
    "ItemReads",
    "Labels",
    "LayerDeviation",
    "Loader",
    "LoaderFiles",
    "Loading",
    "Loop",
    "Memory",
    "MemoryEstimate",
    "MemoryFit",
    "Merging",
    "ModuleCoverage",
    "NamedPath",
    "NamedPaths",
    "NearCopy",
    "Operator",
    "OutputFolder",
    "OutputFolders",
    "OutsideLabel",
    "Overfitting",
    "Owners",
    "ParallelLayers",
    "Parameter",
    "Parameters",
    "Pass",
    "PatchEmbedding",
    "Pipeline",
    "PredictionTable",
    "Predictions",
    "Profile",
    "RankCount",
    "RankDeviation",
    "RankTrace",
    "Ranks",
    "Reloading",
    "Repetition",
    "SeenWarning",
    "ShapeMismatch",
    "SharedGroup",
    "SharedSamples",
    "Split",
    "Splits",
    "Stage",
    "Stages",
    "Statistic",
    "StepFlops",
    "Sweep",
    "TensorDeviation",
    "Throughput",
    "Training",
    "Unlisted",
    "UnlistedFile",
    "UnusualImage",
    "Violation",
    "Violations",
    "Warned",
    "WatchedBatch",
    "WatchedCriterion",
    "WatchedGroup",
    "WatchedOptimizer",
    "WatchedScheduler",
    "WatchedStep",
    "WorkerDraws",
]
