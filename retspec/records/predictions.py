"""The section `predictions`: files with what a trained model said of each image; the field types are its schema."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

if TYPE_CHECKING:
    from collections.abc import Mapping

Column = Annotated[str, Meta(min_length=1)]
File = Annotated[str, Meta(min_length=1)]
Files = Annotated[
    File | dict[str, File],
    Meta(description="Relative to this spec; or a file for each split: {val: ..., test: ...}."),
]
Columns = Annotated[
    Column | list[Column],
    Meta(description="A column per class, in the order of the classes; one alone is that of class 1 of two."),
]
FORMATS = ("csv", "parquet", "jsonl", "npz")
"""The keys that name files; what a table is shows in its bytes, so that the first three read the same."""
MADE = "make"
"""The key that names files which retspec writes, with predictions that it makes."""
WRITTEN = (".csv", ".jsonl", ".parquet")
"""The ends of the names of files that retspec writes."""
ORIGIN_SUFFIX = ".origin.json"
"""What the name of a file of predictions gets for the file beside it that says how retspec made it."""
OUTPUTS = ("scores", "logits", "values", "counts")
"""The keys that name what the model gave."""
READ_KEYS = ("id", "label", "labels", *OUTPUTS, "structure", "group", "split_column")
"""The keys that say what the columns of a file are; those of a file that retspec makes are known."""
PIXELS = ("true positive", "false positive", "false negative")
"""What the columns of `counts` hold, in their order."""
ID = "The column that names an image."
LABEL = "The column of the true class: its number from 0, or its column; or of the true value."
SPLIT_COLUMN = "split"
"""The column of splits of a single file, unless the spec names another."""


@dataclass(frozen=True, kw_only=True)
class PredictionFiles:
    """The section `predictions`: which file, and what its columns are."""

    id: Annotated[Column, Meta(description=ID, examples=["image"])] | None = None
    label: Annotated[Column, Meta(description=LABEL, examples=["grade"])] | None = None
    csv: Files | None = None
    parquet: Files | None = None
    jsonl: Files | None = None
    npz: Files | None = None
    make: (
        Annotated[
            Files,
            Meta(
                description="Let `model` predict `split` of `data`, and write this file (.csv, .jsonl or .parquet); "
                "or one for each split."
            ),
        ]
        | None
    ) = None
    labels: (
        Annotated[
            list[Column],
            Meta(description="In place of `label`: a column of 0 and 1 for each of several labels.", min_length=1),
        ]
        | None
    ) = None
    scores: Annotated[Columns, Meta(examples=[["p0", "p1", "p2"]])] | None = None
    logits: Annotated[Columns, Meta(examples=[["z0", "z1", "z2"]])] | None = None
    values: Annotated[Column, Meta(description="The column of predicted values: a regression.")] | None = None
    counts: (
        Annotated[
            list[Column],
            Meta(
                description="The columns of true positive, false positive and false negative pixels of each case.",
                examples=[["tp", "fp", "fn"]],
            ),
        ]
        | None
    ) = None
    structure: Annotated[Column, Meta(description="The column of what the pixels are of, with `counts`.")] | None = None
    group: (
        Annotated[Column, Meta(description="The column of the patient: what is drawn and counted as one.")] | None
    ) = None
    subgroups: Annotated[list[Column], Meta(description="Columns such as the sex or the camera.")] = ()  # type: ignore[assignment]
    split: Annotated[str, Meta(min_length=1, description="The split to judge; by default all rows.")] | None = None
    split_column: (
        Annotated[Column, Meta(description="The column of splits of a single file; by default `split`.")] | None
    ) = None

    @property
    def format(self) -> str:
        """The key that names the files."""
        return next((name for name in (*FORMATS, MADE) if getattr(self, name) is not None), "")

    @property
    def files(self) -> Mapping[str, str]:
        """Split to file; a single file is that of the split with the empty name."""
        given = getattr(self, self.format)
        return {"": given} if isinstance(given, str) else given

    @property
    def kind(self) -> str:
        """What is predicted: `classes`, several `labels`, the `values` of a regression, or masks by `counts`."""
        return next((kind for kind in ("labels", "values", "counts") if getattr(self, kind) is not None), "classes")

    @property
    def made(self) -> Mapping[str, str]:
        """Split to the file that retspec writes; none for files that are read."""
        if self.make is None:
            return {}
        return {self.split or "": self.make} if isinstance(self.make, str) else self.make

    @property
    def is_logits(self) -> bool:
        """Whether the model's outputs are logits, not probabilities."""
        return self.logits is not None

    @property
    def outputs(self) -> tuple[str, ...]:
        """The columns of what the model gave."""
        given = self.logits if self.scores is None else self.scores
        return (given,) if isinstance(given, str) else tuple(given or ())
