"""`PredictionMaker`: lets the model predict splits of the data, writes a file for each, and reads these."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from itertools import count
from typing import TYPE_CHECKING, Protocol

from msgspec import structs

from retspec._version import __version__
from retspec.errors import SubjectError
from retspec.records import MADE, REGRESSION_LOSSES
from retspec.subjects.data.ordered import examples_of
from retspec.subjects.predictions.made_from import made_from
from retspec.subjects.predictions.origin import Origin, require_unchanged, write_with_origin
from retspec.subjects.predictions.predicting import probabilities
from retspec.subjects.predictions.reading import PredictionReader, quiet, require_libraries
from retspec.subjects.predictions.writing import GROUP, IMAGE, LABEL, Layout
from retspec.text.masking import Mask

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import torch
    from torch import Tensor, nn

    from retspec.facts import Dataset, Predictions, PredictionTable
    from retspec.records import Spec
    from retspec.subjects.data.building import DataBuilder

_PLACE = f"predictions.{MADE}"
_LIBRARIES = ("torch", "timm", "peft", "transformers")
_TASKS = {None, "classification", "ordinal"}


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
        self.listed, self.listed_sha256 = data.listed, reader.listed_sha256
        self._spec, self._data, self._means = spec, data, means
        self._known: Predictions | None = None

    def read(self, progress: Callable[[int, int], None] = quiet) -> Predictions:
        """Return what the model says of each image of the splits; it predicts at the first call.

        progress: called with the batch that is predicted, and their number.

        Raises SubjectError for a model or data that cannot be built, for a split without labels, for a model whose
        outputs are not one row of classes per image, and for a file that cannot be written or is not retspec's.
        """
        if self._known is None:
            require_libraries()
            dataset = self._dataset()
            layout = self._made(dataset, progress)
            self.section = replace(
                self.section,
                make=None,
                csv=dict(self.section.made),
                id=IMAGE,
                label=LABEL,
                scores=list(layout.classes),
                group=GROUP if layout.has_groups else None,
                subgroups=list(layout.subgroups),
            )
            found = self.found()
            self._known = structs.replace(found, notes=(*found.notes, *self._doubts()))
        return self._known

    def read_beside(self, file: str, *, path: str) -> PredictionTable:
        """Return the judged split of another file with the columns of those that are made; see `PredictionReader`."""
        self.read()
        return super().read_beside(file, path=path)

    def _dataset(self) -> Dataset:
        """Return the data, whose splits can be predicted and written; raises SubjectError where one cannot be."""
        task, loss = self._spec.train.task, self._spec.train.loss
        if task not in _TASKS or loss in {"bce_with_logits", *REGRESSION_LOSSES}:
            message = (
                f"predictions are made as classes whose probabilities add up to 1, and `train` says "
                f"{loss if task in _TASKS else task}; write them yourself, and name the file"
            )
            raise SubjectError(message, path=_PLACE)
        dataset = self._data.dataset
        for split, file in self.section.made.items():
            place = "predictions.split" if split == self.section.split else _PLACE
            examples_of(dataset, split, place)
            require_unchanged(self.folder / file, file, _PLACE)
        return dataset

    def _made(self, dataset: Dataset, progress: Callable[[int, int], None]) -> Layout:
        """Predict and write every split; return the layout of the files."""
        made = self.section.made
        model, size = self._means.model, self._data.batch_size
        total = sum(-(-len(dataset.splits[split].examples) // size) for split in made)
        steps = count(1)

        def inputs(split: str) -> Iterator[Tensor]:
            for pair in self._data.in_order(split):
                seen.update(pair[0].detach().cpu().contiguous().numpy().tobytes())
                progress(next(steps), total)
                yield self._data.on(self._means.device, *pair).inputs

        for split, file in made.items():
            seen = hashlib.sha256()
            scores = probabilities(model, inputs(split))
            layout = Layout.of(dataset, [*made], self.section.subgroups, scores.shape[1])
            self._write(file, layout.text(dataset, split, scores), split, seen.hexdigest())
        return layout

    def _write(self, file: str, text: str, split: str, inputs_sha256: str) -> None:
        def origin(sha256: str) -> Origin:
            spec, mask = self._spec, Mask(self._spec.secrets)
            return Origin(
                retspec=__version__,
                sha256=sha256,
                images=len(self._data.dataset.splits[split].examples),
                split=split,
                spec=mask.text(spec.name),
                spec_sha256=spec.sha256,
                model=spec.model.source if spec.model else "",
                weights=mask.given(dict(self.weights() if self.weights else {})),
                data=spec.data.source,
                data_sha256=self.listed_sha256(split),
                inputs_sha256=inputs_sha256,
                made_from=made_from(spec),
                seed=spec.run.seed,
                device=str(self._means.device),
                dtype=self._dtype(),
                versions=dict(_versions()),
            )

        try:
            write_with_origin(self.folder / file, text, origin)
        except OSError as error:
            raise SubjectError(f"{file} cannot be written: {error.strerror or error}", path=_PLACE) from error

    def _dtype(self) -> str:
        parameter = next(self._means.model.parameters(), None)
        return "" if parameter is None else str(parameter.dtype).removeprefix("torch.")

    def _doubts(self) -> Iterator[str]:
        """Yield what may make these predictions those of another model than the user means, in whole sentences."""
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
