"""`PredictionMaker`: lets the model predict splits of the data, writes a file for each, and reads these."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from msgspec import structs

from retspec._version import __version__
from retspec.errors import SubjectError
from retspec.records import MADE, REGRESSION_LOSSES
from retspec.subjects.predictions.formats import content_for, require_writer
from retspec.subjects.predictions.made_from import listed_sha256, made_from
from retspec.subjects.predictions.origin import Origin, require_unchanged, write_with_origin
from retspec.subjects.predictions.predicting import predicted
from retspec.subjects.predictions.reading import PredictionReader, quiet, require_libraries
from retspec.subjects.predictions.splits import FileSplits, LoaderSplits
from retspec.subjects.predictions.writing import Layout
from retspec.text.masking import Mask

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import torch
    from torch import Tensor, nn

    from retspec.facts import Dataset, Overlaps, PredictedNumbers, Predictions, PredictionTable
    from retspec.records import PredictionFiles, Spec
    from retspec.subjects.data.building import DataBuilder
    from retspec.subjects.onlooker import Onlooker
    from retspec.subjects.predictions.splits import Splits

_PLACE = f"predictions.{MADE}"
_LIBRARIES = ("torch", "timm", "peft", "transformers")
_TASKS = {None, "classification", "ordinal"}
_WORDS = {"classes": "classes", "labels": "several labels", "values": "the values of a regression"}


def made_in(section: PredictionFiles, folder: str) -> PredictionFiles:
    """Return a section whose predictions are made in another folder."""
    made = enumerate(section.made.items())
    return replace(section, make={split: str(Path(folder, f"{at}-{Path(file).name}")) for at, (split, file) in made})


class Means(Protocol):
    """Gives the model and the device of a run, when they are asked for."""

    @property
    def model(self) -> nn.Module:
        """The model on its device."""

    @property
    def device(self) -> torch.device:
        """The device."""


class PredictionMaker(PredictionReader):
    """Makes the predictions that the section `predictions` names by `make`, once, and reads them like any others.

    reader: that of the spec. means: what gives the model and its device, such as a `Subject`.
    """

    def __init__(self, spec: Spec, reader: PredictionReader, data: DataBuilder, means: Means) -> None:
        super().__init__(reader.section, reader.folder, reader.weights, reader.made_from)
        self.listed, self.listed_sha256, self.plant = data.listed, reader.listed_sha256, reader.plant
        self._spec, self._data, self._means = spec, data, means
        self._known: Predictions | None = None
        self._is_done = False

    def read(self, progress: Callable[[int, int], None] = quiet) -> Predictions:
        """Return what the model says of each image of the splits; it predicts at the first call.

        progress: called with the batch that is predicted, and their number.

        Raises SubjectError for a model or data that cannot be built, for a split without labels, for a model whose
        outputs are not one row of classes per image, and for a file that cannot be written or is not retspec's.
        """
        if self._known is None:
            self._make("classes", progress)
            found = self.found()
            self._known = self.plant(structs.replace(found, notes=(*found.notes, *self._doubts())))
        return self._known

    def read_values(self, progress: Callable[[int, int], None] = quiet) -> PredictedNumbers:
        """Return what the model says of each image of a regression; see `read`."""
        self._make("values", progress)
        return self._with_doubts(super().read_values())

    def read_labels(self, progress: Callable[[int, int], None] = quiet) -> PredictedNumbers:
        """Return what the model says of several labels of each image; see `read`."""
        self._make("labels", progress)
        return self._with_doubts(super().read_labels())

    def read_overlaps(self) -> Overlaps:
        """Raise SubjectError: masks are not made."""
        raise SubjectError("predictions are not made of masks; write their counts, and name the file", path=_PLACE)

    def _make(self, asked: str, progress: Callable[[int, int], None]) -> None:
        """Predict and write every split, unless that is done; the section then names what was written.

        asked: the kind of predictions that a measurement needs. Raises SubjectError where `train` says another one.
        """
        require_libraries()
        kind = self._kind()
        if kind != asked:
            raise SubjectError(f"this asks about {_WORDS[asked]}, and {_WORDS[kind]} are predicted", path=_PLACE)
        if not self._is_done:
            layout = self._made(self._splits(kind), kind, progress)
            self.section = replace(self.section, make=None, csv=dict(self.section.made), **layout.keys)
            self._is_done = True

    def _with_doubts(self, found: PredictedNumbers) -> PredictedNumbers:
        return structs.replace(found, notes=(*found.notes, *self._doubts()))

    def read_beside(self, file: str, *, path: str) -> PredictionTable:
        """Return the judged split of another file with the columns of those that are made; see `PredictionReader`."""
        self.read()
        return super().read_beside(file, path=path)

    def _kind(self) -> str:
        """Return what is predicted, by the task or else the loss; raises SubjectError for what is no table."""
        task, loss = self._spec.train.task, self._spec.train.loss
        if task == "multilabel" or (task is None and loss == "bce_with_logits" and self._has_several()):
            return "labels"
        if task == "regression" or (task is None and loss in REGRESSION_LOSSES):
            return "values"
        if task not in _TASKS or loss in {"bce_with_logits", *REGRESSION_LOSSES}:
            message = (
                f"predictions are made as classes whose probabilities add up to 1, several labels or values, and "
                f"`train` says {loss if task in _TASKS else task}; write them yourself, and name the file"
            )
            raise SubjectError(message, path=_PLACE)
        return "classes"

    def _has_several(self) -> bool:
        """Whether the data lists several labels for each image."""
        return self._data.source.gives_files and isinstance(self._data.dataset.first.examples[0].label, tuple)

    def _splits(self, kind: str) -> Splits:
        """Return the splits, which can be predicted and written; raises SubjectError where one cannot be."""
        data = self._spec.data
        found: Splits = (
            LoaderSplits(self._data, kind, self.section.subgroups, data.classes)
            if self._data.source.gives_loaders
            else FileSplits(self._data, kind)
        )
        for split, file in self.section.made.items():
            place = "predictions.split" if split == self.section.split else _PLACE
            found.require(split, place)
            require_writer(file, _PLACE)
            require_unchanged(self.folder / file, file, _PLACE)
        return found

    def _made(self, splits: Splits, kind: str, progress: Callable[[int, int], None]) -> Layout:
        """Predict every split, then write each; return the layout of the files."""
        made = self.section.made
        model, steps = self._means.model, count(1)
        total = sum(splits.steps(split) for split in made)
        seen = {split: hashlib.sha256() for split in made}
        onlooker = self._onlooker(kind)

        def inputs(split: str) -> Iterator[Tensor]:
            for pair in splits.batches(split):
                seen[split].update(pair[0].detach().cpu().contiguous().numpy().tobytes())
                if onlooker and split == self._shown:
                    onlooker.give(*pair)
                step = next(steps)
                progress(step, max(total, step))
                yield self._data.on(self._means.device, *pair).inputs

        found = {
            split: predicted(model, inputs(split), kind, onlooker if split == self._shown else None) for split in made
        }
        if onlooker:
            onlooker.end()
        dataset = splits.dataset()
        outputs = next(iter(found.values())).shape[1]
        layout = Layout.of(dataset, [*made], self.section.subgroups, outputs, kind)
        for split, file in made.items():
            content = content_for(file, layout.columns(dataset, split, found[split]))
            self._write(file, content, dataset, split, seen[split].hexdigest())
        return layout

    @property
    def _shown(self) -> str:
        """The split whose images may be shown: the judged one, else the first."""
        made, judged = self.section.made, self.section.split
        return judged if judged is not None and judged in made else next(iter(made))

    def _onlooker(self, kind: str) -> Onlooker | None:
        if not self._data.gallery.most:
            return None
        from retspec.subjects.onlooker import Onlooker

        return Onlooker(self._data.gallery, self._data.look(), kind, self._shown)

    def _write(self, file: str, content: bytes, dataset: Dataset, split: str, inputs_sha256: str) -> None:
        def origin(sha256: str) -> Origin:
            spec, mask = self._spec, Mask(self._spec.secrets)
            return Origin(
                retspec=__version__,
                sha256=sha256,
                images=len(dataset.splits[split].examples),
                split=split,
                spec=mask.text(spec.name),
                spec_sha256=spec.sha256,
                model=spec.model.source if spec.model else "",
                weights=mask.given(dict(self.weights() if self.weights else {})),
                data=spec.data.source,
                data_sha256=listed_sha256(dataset, split),
                inputs_sha256=inputs_sha256,
                made_from=made_from(spec),
                seed=spec.run.seed,
                device=str(self._means.device),
                dtype=self._dtype(),
                versions=dict(_versions()),
            )

        try:
            write_with_origin(self.folder / file, content, origin)
        except OSError as error:
            raise SubjectError(f"{file} cannot be written: {error.strerror or error}", path=_PLACE) from error

    def _dtype(self) -> str:
        parameter = next(self._means.model.parameters(), None)
        return "" if parameter is None else str(parameter.dtype).removeprefix("torch.")

    def _doubts(self) -> Iterator[str]:
        """Yield what may make these predictions those of another model than the user means, in whole sentences."""
        if self._data.source.gives_loaders and "train" in self.section.files:
            yield "the images of train are predicted as its loader gives them: with the augmentation of the training."
        model = self._spec.model
        if model is not None and model.adapter is None and (model.lora is not None or model.peft is not None):
            yield (
                "the predictions are those of a new adapter, which nothing has trained; name the trained one as "
                "`model.adapter`."
            )
        if self._dtype() not in {"", "float32"}:
            yield f"the predictions are made in {self._dtype()}; leave out `run.dtype` for float32."


def _versions() -> Iterator[tuple[str, str]]:
    for name in _LIBRARIES:
        try:
            yield name, version(name)
        except PackageNotFoundError:
            continue
