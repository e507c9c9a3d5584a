"""What a model makes of images, for the pictures in the reports: its wrong answers, and where it attends.

It takes them from forward passes that are made anyway, and from one more after a training. No verdict depends on it:
what goes wrong here is said in a note.
"""

from __future__ import annotations

from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from retspec.errors import NoVerdict, describe
from retspec.records import Picture
from retspec.subjects.data.gallery import labels_of
from retspec.subjects.data.thumbnails import are_images, under_heat, uri_of
from retspec.subjects.mistakes import MATRIX, Mistakes
from retspec.subjects.models.outputs import logits_of
from retspec.subjects.models.rollout import Rollout
from retspec.subjects.predictions.predicting import ACTIVATIONS, in_rows
from retspec.subjects.seeds import states_kept
from retspec.subjects.training.tasks.choosing import task_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from torch import Tensor, nn

    from retspec.records import Recipe
    from retspec.subjects.data.batch import Batch
    from retspec.subjects.data.gallery import Gallery
    from retspec.subjects.data.thumbnails import Look
    from retspec.subjects.training.tasks.task import Task

MOST_ATTENDED = 8
"""Images whose attention is computed."""
_ATTENTION = "Attention rollout, brightest where the model reads most"


class Onlooker:
    """Looks on while a model predicts a split; the first batch shows where it attends.

    kind: what is predicted; of values, none is wrong. split: its name, for the headings.
    """

    def __init__(self, gallery: Gallery, look: Look, kind: str, split: str) -> None:
        self._gallery, self._look, self._split = gallery, look, split
        self._mistakes = Mistakes(kind, look, gallery.most) if kind in {"classes", "labels"} else None
        self._given: tuple[Tensor, Tensor] | None = None
        self._rollout: Rollout | None = None

    def give(self, inputs: Tensor, targets: Tensor) -> None:
        """Take the batch that is predicted next."""
        self._given = inputs, targets

    def watching(self, model: nn.Module) -> AbstractContextManager[object]:
        """Return what is entered around each forward pass."""
        if self._given is None or not are_images(self._given[0]) or not self._gallery.begins("attention"):
            return nullcontext()
        self._rollout = Rollout(model, min(self._gallery.most, MOST_ATTENDED))
        return self._rollout.reading()

    def saw(self, probabilities: Tensor) -> None:
        """Take what was predicted of the batch."""
        if self._given is None or not are_images(self._given[0]):
            return
        with _unharmed(self._gallery):
            if self._mistakes is not None:
                self._mistakes.see(*self._given, probabilities)
            if self._rollout is not None:
                rollout, self._rollout = self._rollout, None
                _show_attention(self._gallery, rollout, self._given, self._look, f"split {self._split}")

    def end(self) -> None:
        """Show what was wrong."""
        if self._mistakes is not None:
            self._gallery.add(self._mistakes.pictures(f"Wrong predictions of the split {self._split}"))


@dataclass(frozen=True)
class AfterTraining:
    """Shows what a model makes of the batch that it was trained on, while it is as the training left it."""

    gallery: Gallery
    look: Callable[[], Look]
    recipe: Recipe

    def __call__(self, model: nn.Module, batch: Batch, task: Task | None, steps: int) -> None:
        """Pass the batch once, in evaluation mode, after so many steps; the first training alone is shown.

        The weights, modes, buffers and random numbers are as they were afterwards, whatever fails.
        """
        if not are_images(batch.inputs) or not self.gallery.begins("training"):
            return
        with _unharmed(self.gallery), states_kept(), _evaluating(model):
            self._show(model, batch, task, f"after {steps} step{'s' * (steps != 1)} on this batch alone")

    def _show(self, model: nn.Module, batch: Batch, task: Task | None, when: str) -> None:
        gallery, look = self.gallery, self.look()
        targets = None
        with suppress(NoVerdict):  # a training of the user's own need not show them
            targets = batch.targets
        attends = gallery.begins("attention")
        rollout = Rollout(model, min(gallery.most, MOST_ATTENDED)) if attends else None
        with rollout.reading() if rollout else nullcontext():
            outputs = logits_of(model(batch.inputs))
        if targets is not None and (kind := _kind(task, self.recipe, outputs, targets)):
            mistakes = Mistakes(kind, look, gallery.most)
            mistakes.see(batch.inputs, targets, ACTIVATIONS[kind](in_rows(outputs)))
            gallery.add(mistakes.pictures(f"Wrong {when}, which says nothing about a released model"))
        if rollout:
            _show_attention(gallery, rollout, (batch.inputs, targets), look, when)


def _kind(task: Task | None, recipe: Recipe, outputs: Tensor, targets: Tensor) -> str:
    """Return what the model says of each image, `classes` or `labels`; empty where it is something else."""
    known = task or task_of(recipe.task, "", outputs, targets)
    name = known.name if known else ""
    if outputs.dim() > MATRIX or (name == "ordinal" and recipe.loss != "cross_entropy"):
        return ""
    return {"classification": "classes", "ordinal": "classes", "multilabel": "labels"}.get(name, "")


def _show_attention(
    gallery: Gallery, rollout: Rollout, batch: tuple[Tensor, Tensor | None], look: Look, when: str
) -> None:
    inputs, targets = batch
    maps = rollout.maps(*inputs.shape[-2:])
    if rollout.reason:
        gallery.explain(f"no attention is shown: {rollout.reason}.")
    captions = labels_of(targets, look, len(maps))
    gallery.add(
        [
            Picture(caption=caption, group=f"{_ATTENTION} ({when})", image=uri_of(under_heat(look.image(image), heat)))
            for image, heat, caption in zip(inputs, maps, captions, strict=False)
        ]
    )


@contextmanager
def _evaluating(model: nn.Module) -> Iterator[None]:
    """Put a model in evaluation mode, without gradients, and put modes and buffers back at the end."""
    import torch

    modes = [(module, module.training) for module in model.modules()]
    buffers = {name: buffer.detach().clone() for name, buffer in model.named_buffers()}
    try:
        model.eval()
        with torch.no_grad():
            yield
    finally:
        for name, buffer in model.named_buffers():
            if name in buffers:
                buffer.data.copy_(buffers[name])
        for module, mode in modes:
            module.training = mode


@contextmanager
def _unharmed(gallery: Gallery) -> Iterator[None]:
    """Say what fails inside, and go on: no measurement ends for the sake of a picture."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - the model is the user's, and so is the memory
        gallery.explain(f"some pictures of what the model says are left out: {describe(error)}.")
