"""Build the model that the section `model` describes: base, weights, adapter."""

from __future__ import annotations

from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from retspec.errors import SubjectError
from retspec.subjects.checkpoints import File, chosen, hold_against, load_into, recognise
from retspec.subjects.kwargs_paths import with_paths
from retspec.subjects.models.base_models import BaseModel, BaseModels
from retspec.subjects.models.completion import freeze_as_training_does, require_shapes, require_values
from retspec.subjects.models.constant_weights import weight_notes
from retspec.subjects.models.forward_arguments import fix_arguments
from retspec.subjects.models.lora import PLACE as LORA
from retspec.subjects.models.lora import wrap, wrap_otherwise
from retspec.subjects.models.outputs import return_logits
from retspec.subjects.models.own_adapters import name_adapters
from retspec.subjects.models.saved_adapter import SavedAdapter, find_adapter, load_adapter
from retspec.subjects.models.structure import set_grad_checkpointing
from retspec.subjects.models.unmatched_names import name_notes
from retspec.subjects.planting import Planting
from retspec.subjects.seeds import seeded

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch import nn

    from retspec.facts import Loading
    from retspec.plugin import Source
    from retspec.records import Model, Spec


class ModelBuilder:
    """Builds the model of one spec; its base is taken from `bases`, or kept there for the next such model.

    note: called with what a reader should know of a model with its weights, in whole sentences.
    """

    def __init__(
        self,
        spec: Spec,
        sources: Mapping[str, Source],
        bases: BaseModels,
        *,
        keep: bool,
        note: Callable[[tuple[str, ...]], None] = lambda _notes: None,
        planting: Planting | None = None,
    ) -> None:
        self._note = note
        self._planting = planting or Planting()
        self._spec = spec
        self._sources = sources
        self._bases, self._keep = bases, keep
        self._folder = Path(spec.file).resolve().parent
        self.loading: Loading | None = None
        """Result of loading the checkpoint, after the model is built with its weights."""

    @property
    def section(self) -> Model:
        """The section `model` of the spec; raises SubjectError when there is none."""
        if self._spec.model is None:
            raise SubjectError("this needs a model, and the spec has no section `model`", path="")
        return self._spec.model

    @cached_property
    def checkpoint(self) -> File | None:
        """The checkpoint, if the spec names one; its format is checked before a large model is built.

        Raises SubjectError when it cannot be read or is not a checkpoint.
        """
        if self.section.checkpoint is None:
            return None
        file = chosen(self.section.checkpoint, self._folder)
        recognise(file)
        return file

    @property
    def required_checkpoint(self) -> File:
        """The checkpoint; raises SubjectError when the spec names none."""
        if self.checkpoint is None:
            raise _no_checkpoint()
        return self.checkpoint

    @property
    def required_loading(self) -> Loading:
        """The result of loading it; raises SubjectError before the model is built, and without a checkpoint."""
        if self.loading is None:
            raise _no_checkpoint()
        return self.loading

    @cached_property
    def checkpoint_sha256(self) -> str:
        """SHA-256 of the checkpoint in hexadecimal, empty without one."""
        return self.checkpoint.sha256() if self.checkpoint else ""

    @cached_property
    def adapter(self) -> SavedAdapter | None:
        """The saved adapter, if the spec names one; raises SubjectError when its files are missing."""
        name = self.section.adapter
        return None if name is None else find_adapter(name, self._folder)

    def weights_read(self) -> dict[str, str]:
        """Return the files of weights that the spec names, and their hashes; without torch.

        Raises SubjectError for one that cannot be read.
        """
        files = {"checkpoint": self.checkpoint, "adapter": self.adapter.weights if self.adapter else None}
        named = {name: file for name, file in files.items() if file is not None}
        return {name: file.name for name, file in named.items()} | {
            f"{name}_sha256": self.checkpoint_sha256 if name == "checkpoint" else file.sha256()
            for name, file in named.items()
        }

    def build(self, *, filled: bool) -> nn.Module:
        """Return the model: its base, wrapped with the adapter of the spec.

        filled: whether to load the weights of the checkpoint; not possible on the meta device.

        Raises SubjectError when a part cannot be built or does not fit.
        """
        base = self._filled_base() if filled else self._base()
        with seeded(self._spec.run.seed):  # again, so that the adapter does not depend on how the base was made
            model = self._finished(self._wrapped(base))
        loaded = self.loading.notes if self.loading else ()
        if filled and (notes := (*loaded, *weight_notes(model), *name_notes(model))):
            self._note(notes)
        return model

    def build_again(self, wrap: Callable[[nn.Module], nn.Module]) -> nn.Module:
        """Return the model around a base that is made again with its weights, as in another process.

        wrap: adds the adapter to the base, and draws its own random numbers.
        """
        return self._finished(wrap(self._made(self._pinned_checkpoint()).model))

    def _finished(self, model: nn.Module) -> nn.Module:
        freeze_as_training_does(model)
        if self.section.adapters is not None:
            name_adapters(model, self.section.adapters)
        fix_arguments(model, self.section.forward)
        if self.section.output is not None:
            return_logits(model, self.section.output)
        return self._planting.into("model", model)

    def _wrapped(self, base: nn.Module) -> nn.Module:
        section, adapter = self.section, self.adapter
        if adapter is not None:
            return load_adapter(base, adapter, section.lora)
        if section.peft is not None:
            return wrap_otherwise(base, section.peft)
        return base if section.lora is None else wrap(base, section.lora)

    def forget_base(self) -> None:
        """Make the base again for the next model, also if it was kept."""
        self._bases.forget()

    def build_on_meta(self) -> nn.Module | None:
        """Return the model on the meta device, or None for a source that needs tensors with data."""
        import torch

        try:
            with torch.device("meta"):
                return self.build(filled=False)
        except (SubjectError, NotImplementedError, RuntimeError) as error:
            # AdaMSS, for one, clusters its weights by scikit-learn, which raises its own errors on what has no values.
            if isinstance(error, SubjectError) and (error.__cause__ is None or error.path.startswith(LORA)):
                raise
            return None

    def _filled_base(self) -> nn.Module:
        """Return the base with its weights, on the CPU, or a kept one on the device that it was measured on."""
        checkpoint = self._pinned_checkpoint()
        fault, seed = self._planting.changes("checkpoint"), self._spec.run.seed
        key = (self._spec.base, checkpoint, fault and fault.name)  # each fault of a checkpoint has a base of its own
        base = self._bases.take(key, seed, lambda: self._made(checkpoint), keep=self._keep)
        self.loading = base.loading
        return base.model

    def _made(self, checkpoint: File | None) -> BaseModel:
        if checkpoint is None:
            return BaseModel(self._base(), seed=self._spec.run.seed)
        if self.section.fill:
            return self._loaded(checkpoint)
        model = self._base()
        return BaseModel(model, hold_against(model, checkpoint), self._spec.run.seed)

    def _loaded(self, checkpoint: File) -> BaseModel:
        """Build the base and load its weights, before peft wraps it and renames its layers."""
        from retspec.subjects.models.skip_init import without_draws

        def load() -> BaseModel:
            model = self._base()
            loading = load_into(model, checkpoint, partial(self._planting.into, "checkpoint"))
            return BaseModel(model, loading, None if _is_whole(model, loading) else self._spec.run.seed)

        return without_draws(load) or load()

    def _base(self) -> nn.Module:
        """Build the base with its source, and cast it to the dtype of the spec; it has all its shapes and values."""
        import torch

        source = self._sources[self.section.source]
        with seeded(self._spec.run.seed):
            value = msgspec.convert(self.section.value, source.value_type, strict=False)
            given = (value, self._folder) if source.takes_folder else (value,)
            model = source(*given, **with_paths(self.section.arguments, self._folder, "model"))
            require_shapes(model)
            if torch.get_default_device().type != "meta":
                require_values(model)
            model = self._cast(model)
            if self._spec.train.grad_checkpointing:
                set_grad_checkpointing(model)
            return model

    def _cast(self, model: nn.Module) -> nn.Module:
        """Cast a model to the dtype of the spec; without one, the source decides."""
        import torch

        name = self._spec.run.dtype
        return model if name is None else model.to(getattr(torch, name))

    def _pinned_checkpoint(self) -> File | None:
        """Return the checkpoint, if there is one; raises SubjectError when its SHA-256 is not the one in the spec."""
        wanted, file = self.section.checkpoint_sha256, self.checkpoint
        if file is not None and wanted not in {None, self.checkpoint_sha256}:
            message = f"{file.name} is another file: its SHA-256 is {self.checkpoint_sha256}"
            raise SubjectError(message, path="model.checkpoint_sha256")
        return file


def _is_whole(model: nn.Module, loading: Loading) -> bool:
    """Whether every parameter and buffer is from the checkpoint, so that no random number is left in the model."""
    persistent = model.state_dict().keys()
    names = {name for name, _ in (*model.named_parameters(), *model.named_buffers())}
    return names <= persistent and not (loading.missing or loading.mismatches or loading.unusable)


def _no_checkpoint() -> SubjectError:
    return SubjectError("this needs a checkpoint; name one as `model.checkpoint`", path="model")
