"""Ask the libraries about a model: each model source brings what its library knows.

The sources are kept for the whole process, like the import path: a measurement, also one of a plugin, gets only a model
and needs to find its head.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from retspec.plugins.kinds import PROJECT
from retspec.plugins.model_library import no_answer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from retspec.plugin import ModelLibrary, Source

T = TypeVar("T")

_sources: list[Source] = []


def know(sources: Iterable[Source]) -> None:
    """Ask these model sources from now on, and no others: plugins before built-in ones, each group sorted by name.

    A plugin knows its own models by their type. The built-in sources also answer for modules that look like theirs.
    """
    _sources[:] = sorted(sources, key=lambda source: (_is_built_in(source), source.name))


def ask(question: Callable[[ModelLibrary], T | None]) -> T | None:
    """Return the first answer that is not None, or None."""
    return next(answers(question), None)


def answers(question: Callable[[ModelLibrary], T | None]) -> Iterator[T]:
    """Yield every answer that is not None."""
    for source in _known():
        answer = question(source.library)
        if answer is not None:
            yield answer


def libraries_with_preprocessing() -> str:
    """Return the names of the sources whose models describe their preprocessing, such as `other or timm`."""
    names = {source.name for source in _known() if source.library.preprocessing is not no_answer}
    return " or ".join(sorted(names))


def _known() -> list[Source]:
    if not _sources:
        from retspec.subjects.built_in import retspec_model_sources

        know(retspec_model_sources())
    return _sources


def _is_built_in(source: Source) -> bool:
    return source.function.__module__.partition(".")[0] == PROJECT
