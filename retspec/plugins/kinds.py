"""What a plugin offers, from checks to faults: each is a frozen record of a function."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Annotated, Any, get_args, get_origin

from retspec.plugins.model_library import UNKNOWN, ModelLibrary
from retspec.plugins.signatures import Argument, bounds, rare
from retspec.records import Direction, Passes, Report, Value

PROJECT = "retspec"
RECIPE = "recipe"
"""The training that is built in, and needs no key."""
API_VERSION = 1
"""Version of the plugin API; it grows by one when older plugins would break, or plugins may need what is new."""
PARTS = frozenset(
    {
        *("model", "build_again", "skeleton", "optional_skeleton", "checkpoint_file", "loaded"),
        *("batch", "take_batch", "dataset", "transforms", "feed", "loaders", "data_folders", "own_optimizers"),
        *("trainer", "watched_run", "ranked_run", "epochs", "device", "config", "progress", "recorded_warnings"),
        *("made_training", "prediction_files"),
    }
)
"""The parts of the subject that a measurement may ask for by parameter name."""
MADE_TRAINING = "made_training"
"""The part that is the facts of the training of the spec, if it was made already: a measurement may begin from it."""
WITHOUT_TORCH = frozenset({"config", "dataset", "prediction_files", "progress", "recorded_warnings"})
"""The parts available without torch. A measurement that declares no torch and reads only these runs without it."""
PassCounter = Callable[..., Passes | None]
"""Returns the passes that a measurement makes, of the recipe and its arguments; None where it cannot be so."""

_OF_MODEL = frozenset({"model", "build_again", "skeleton", "optional_skeleton", "loaded"})
_OF_BATCH = frozenset({"batch", "take_batch"})
MODEL = "model"
"""The wrapped module, wherever it is made."""
OWN_TRAINING = "own_training"
"""A training of the user's own, while it runs."""
OF_SPEC = "spec"
"""What a fault changes before anything is planned."""
REACH: Mapping[str, frozenset[str]] = {
    OF_SPEC: _OF_MODEL | {"trainer", "own_optimizers"},
    MODEL: _OF_MODEL,
    "trainer": frozenset({"trainer"}),
    "batch": _OF_BATCH,
    "dataset": _OF_BATCH | {"dataset", "feed"},
    "checkpoint": _OF_MODEL | {"checkpoint_file"},
    "predictions": frozenset({"prediction_files"}),
    "transforms": _OF_BATCH | {"transforms", "feed"},
    OWN_TRAINING: PARTS - {"config", "dataset", "transforms", "prediction_files"},
}
"""What a fault may be planted in, and the parts of the subject in which it then shows.

In a training of the user's own, that is more for one of a model: see `Fault.in_own_training`.
"""

_NO_LIMIT = 1e30
"""A magnitude that no observation of a check has."""
_NEAR = 1e-6
"""Distance from the end of a share, 0 or 1, within which a limit is as good as the end."""


class Cost(IntEnum):
    """What a measurement costs; the plan orders cheap before expensive."""

    STATIC = 0
    FORWARD = 1
    TRAINING = 2
    COMPILE = 3
    LAST = 4
    """After everything else: for facts about the run itself."""


@dataclass(frozen=True, kw_only=True)
class Check:
    """A question whose answer is one value. Made by `@check`; calling it calls the function."""

    name: str
    function: Callable[..., Any]
    direction: Direction
    unit: str
    advice: str
    default_limit: Value | None
    shorthand: str | None
    interval: bool = False
    """Whether what it observes has an interval: a criterion then says what of it is judged."""
    measurements: tuple[str, ...]
    arguments: Mapping[str, Argument]
    value_type: Any
    doc: str

    @property
    def question(self) -> str:
        """The first line of the docstring."""
        return self.doc.partition("\n")[0]

    @property
    def family(self) -> str:
        """The name of the package that the check lives in: `parameters`, `learning`, `numerics`, or a plugin's."""
        package = self.function.__module__.split(".")
        return package[2] if package[:2] == [PROJECT, "checks"] else package[0]

    def why_never_missed(self, limit: Value) -> str:
        """Return why nothing observed can miss a limit; empty if something can."""
        if isinstance(limit, (bool, str, tuple)):
            return ""
        least, greatest = bounds(self.value_type)
        is_most = self.direction is Direction.AT_MOST
        end = greatest if is_most else least
        if end is not None and self.direction is not Direction.EQUAL and not self.direction.is_stricter(limit, end):
            return f"nothing observed is {'above' if is_most else 'below'} {end}"
        return "it is no limit at all" if (limit if is_most else -limit) >= _NO_LIMIT else ""

    def why_rarely_missed(self, limit: Value) -> str:
        """Return why hardly anything observed misses a limit that something can miss; empty if that is not known."""
        if isinstance(limit, (bool, str, tuple)) or self.direction is Direction.EQUAL:
            return ""
        least, greatest = bounds(self.value_type)
        is_most = self.direction is Direction.AT_MOST
        side, end, often = "above" if is_most else "below", greatest if is_most else least, rare(self.value_type)
        if often is not None and (often > 0) is is_most and not self.direction.is_stricter(limit, often):
            return f"what is observed is seldom {side} {often:,}"
        near = _NEAR if least is not None and greatest is not None else 1 / _NO_LIMIT
        return f"nothing observed is {side} {end}" if end is not None and abs(limit - end) <= near else ""

    @property
    def counts(self) -> bool:
        """Whether what it observes is a whole number."""
        return (get_args(self.value_type)[0] if get_origin(self.value_type) is Annotated else self.value_type) is int

    def __call__(self, *facts: Any, **arguments: Any) -> Any:
        """Call the function."""
        return self.function(*facts, **arguments)


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """Facts about the subject, produced once and shared. Made by `@measurement`; calling it calls the function."""

    name: str
    function: Callable[..., Any]
    cost: Cost
    passes: PassCounter | None
    fewest_passes: PassCounter | None
    shared_passes: PassCounter | None
    inputs: tuple[str, ...]
    arguments: Mapping[str, Argument]
    doc: str
    needs_torch: bool = True

    def __call__(self, *inputs: Any, **arguments: Any) -> Any:
        """Call the function."""
        return self.function(*inputs, **arguments)


@dataclass(frozen=True, kw_only=True)
class Source:
    """A way to say what is under test: the key under `model:`, `data:` or `train:`, and what builds it."""

    name: str
    function: Callable[..., Any]
    value_type: Any
    arguments: Mapping[str, Argument]
    doc: str
    kind: str
    gives_files: bool = False
    """Whether what it builds is a `Dataset` that knows its files, from which the core itself takes batches."""
    may_give_loader: bool = False
    """Whether what it builds may be a torch DataLoader, which gives batch after batch."""
    gives_loaders: bool = False
    """Whether what it builds is a `UserLoaders`: the loaders of the user's training."""
    launches: bool = False
    """Whether what it builds is a `Launch`: the user's own training, which brings its model, data and optimizers."""
    library: ModelLibrary = UNKNOWN
    """What the library that a model source builds with knows of its models."""

    @property
    def takes_folder(self) -> bool:
        """Whether the function has a parameter `folder`, for the folder that relative paths start from."""
        return "folder" in inspect.signature(self.function).parameters

    def __call__(self, *values: Any, **arguments: Any) -> Any:
        """Call the function."""
        return self.function(*values, **arguments)


@dataclass(frozen=True, kw_only=True)
class Reporter:
    """An output format: turns a report, finished or not, into text. Pure, so that it can be run at any moment.

    Made by `@reporter`; calling it calls the function.
    """

    name: str
    render: Callable[[Report], str]
    doc: str = ""

    def __call__(self, report: Report) -> str:
        """Call the function."""
        return self.render(report)


@dataclass(frozen=True, kw_only=True)
class Executor:
    """A place where cells are measured. Made by `@executor`; calling it calls the function."""

    name: str
    function: Callable[..., Any]
    arguments: Mapping[str, Argument]
    doc: str = ""

    def __call__(self, **resources: Any) -> Any:
        """Call the function."""
        return self.function(**resources)


class Frequency(IntEnum):
    """How often people make a mistake; `retspec prove --budget` tries the likeliest first."""

    OFTEN = 0
    SOMETIMES = 1
    RARELY = 2


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A defect that can be planted into a subject. Made by `@fault`; calling it calls the function."""

    name: str
    function: Callable[..., Any]
    part: str
    """What it changes, a key of `REACH`."""
    families: frozenset[str]
    """The families of checks that it may touch."""
    noticed_by: tuple[str, ...]
    """The checks that notice it, the best one first."""
    frequency: Frequency
    of_training: bool
    """Whether what was trained already cannot have it."""
    doc: str = ""

    @property
    def stands_for(self) -> str:
        """The mistake that it imitates: the first line of the docstring."""
        return self.doc.partition("\n")[0]

    def touches(self, check: Check, parts: Iterable[str]) -> bool:
        """Whether it may change what a check observes that reads these parts of the subject."""
        is_ours = check.function.__module__.startswith(f"{PROJECT}.")
        return (not is_ours or check.family in self.families) and self.reaches(parts)

    def reaches(self, parts: Iterable[str]) -> bool:
        """Whether it shows in one of these parts of the subject."""
        return not REACH[self.part].isdisjoint(parts)

    def in_own_training(self) -> Fault:
        """Return a fault of a model as one of the training that brings it: that shows in what its loop does, too."""
        return replace(self, part=OWN_TRAINING, families=self.families | {"loop"})

    def __call__(self, part: Any) -> Any:
        """Call the function."""
        return self.function(part)
