"""What a library knows of its models: a record that a model source carries, so that the core names no library."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from torch import Tensor, nn

Size: TypeAlias = "tuple[int, ...]"
Weights: TypeAlias = "Mapping[str, Tensor]"


def no_answer(*_arguments: Any) -> None:
    """Answer for a library that does not know."""


@dataclass(frozen=True, kw_only=True)
class ModelLibrary:
    """What a library, such as timm, knows of its models.

    Every function is asked about every model, whatever source built it: a factory may return a model of any library,
    and an adapter or a user's class may wrap it. It returns None for a model that is not its own, and then the
    next library is asked: those of plugins first, then the built-in ones. A function imports its library itself, if it
    needs it at all.
    """

    imports: tuple[str, ...] = ()
    """Modules that the worker imports before it builds a model of this source."""
    distributions: tuple[str, ...] = ()
    """Installed packages whose versions belong in the provenance of a report."""
    input_size: Callable[[nn.Module], Size | None] = no_answer
    """(channels, height, width) in pixels of the images that a model takes; the model may be wrapped."""
    classifier: Callable[[nn.Module], nn.Module | None] = no_answer
    """The module that turns features into logits. It is asked about every module of a model."""
    preprocessing: Callable[[nn.Module], Mapping[str, Any] | None] = no_answer
    """How an image becomes a tensor, under the keys of `retspec.records.Preprocessing`, as far as the model says it.

    The model comes without peft's wrapper. What is left out takes timm's default:
    https://huggingface.co/docs/timm/reference/data
    """
    grad_checkpointing: Callable[[nn.Module], Callable[[], None] | None] = no_answer
    """What turns gradient checkpointing on, without arguments.

    The model comes without peft's wrapper. The switch raises SubjectError for an architecture that has none.
    """
    convert_state_dict: Callable[[Weights, nn.Module], Weights | None] = no_answer
    """The weights of a checkpoint under the names and in the shapes of a model.

    An exception counts as no conversion. The result is taken only if more of it fits than before.
    """


UNKNOWN = ModelLibrary()
"""The library of a source that does not name one."""
