"""The measurement `shared_samples`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from msgspec import Meta

from retspec.errors import Inconclusive, SubjectError, describe
from retspec.facts import SharedSamples
from retspec.plugin import Cost, PositiveInt, measurement
from retspec.subjects.data.bare import file_of, has_transform, inputs_of, untransformed
from retspec.subjects.data.fingerprints import content_of
from retspec.subjects.data.pairs import spread

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from retspec.subjects.data.user_loaders import UserLoader, UserLoaders

TRIED = 8
"""Items that are read twice, to see whether their content is always the same."""


@measurement(cost=Cost.FORWARD)
def shared_samples(
    loaders: UserLoaders,
    progress: Callable[[int, int], None],
    *,
    samples: Annotated[
        PositiveInt, Meta(description="Samples of each loader to read, spread evenly; by default all of them.")
    ]
    | None = None,
) -> SharedSamples:
    """Compare the samples of both loaders by their content before transforms; by their files where it varies."""
    both = [_Samples.of(loader, samples) for loader in (loaders.train, loaders.val)]
    total = sum(len(each.keys) for each in both)
    known, compared_by = _contents(both, progress, total)
    first, second = known
    return SharedSamples(
        shared=tuple(f"train {first[each]} = val {second[each]}" for each in first if each in second),
        read={each.loader.name: len(each.keys) for each in both},
        samples={each.loader.name: each.total for each in both},
        compared_by=compared_by,
    )


def _contents(
    both: Sequence[_Samples], progress: Callable[[int, int], None], total: int
) -> tuple[list[Mapping[str, str]], str]:
    """Return what recognises each sample, mapped to where it is, for each loader."""
    obstacle = next((each.obstacle for each in both if each.obstacle), "")
    if not obstacle:
        first, second = both
        before = len(first.keys)
        known = [
            first.by_content(lambda read: progress(read, total)),
            second.by_content(lambda read: progress(before + read, total)),
        ]
        if first.shapes & second.shapes:
            plain = [f"`{each.loader.name}`" for each in both if not has_transform(each.bare)]
            noted = f"; no attribute of the dataset of {' and '.join(plain)} holds a transform" if plain else ""
            return known, f"content before transforms{noted}"
        obstacle = f"no item of one has the shape of one of the other: {min(first.shapes)}, {min(second.shapes)}"
    files = [each.by_file() for each in both]
    if not all(files):
        raise Inconclusive(f"{obstacle}; and the datasets do not list their files as `samples`")
    return files, f"file: {obstacle}"  # type: ignore[return-value]


@dataclass
class _Samples:
    """The samples of a loader that are read."""

    loader: UserLoader
    keys: Sequence[Any]
    total: int
    bare: Any

    def __post_init__(self) -> None:
        self.shapes: set[str] = set()

    @staticmethod
    def of(loader: UserLoader, most: int | None) -> _Samples:
        keys = loader.keys()
        chosen = keys if most is None else [keys[index] for index in spread(most, len(keys))]
        return _Samples(loader, chosen, len(keys), untransformed(loader.items.dataset))

    @property
    def obstacle(self) -> str:
        """Why the content of its items says nothing, as the end of a sentence; empty where it does."""
        tried = [self.keys[index] for index in spread(TRIED, len(self.keys))]
        try:
            first, second = ([content_of(inputs_of(self.bare[key])) for key in tried] for _ in range(2))
        except Inconclusive as error:
            return str(error)
        except Exception as error:  # noqa: BLE001 - the user's code, with transforms that do nothing
            return f"the loader `{self.loader.name}` cannot be read without its transforms: {describe(error)}"
        return "" if first == second else f"the loader `{self.loader.name}` gives other items at each reading"

    def by_content(self, progress: Callable[[int], None]) -> Mapping[str, str]:
        """Return what recognises each item, mapped to its key; notes their shapes."""
        found: dict[str, str] = {}
        for turn, key in enumerate(self.keys):
            try:
                inputs = inputs_of(self.bare[key])
            except Exception as error:
                raise SubjectError(
                    f"item {key} of the loader `{self.loader.name}` raised {describe(error)}", path=self.loader.path
                ) from error
            self.shapes.add(_shape(inputs))
            found.setdefault(content_of(inputs), str(key))
            progress(turn + 1)
        return found

    def by_file(self) -> Mapping[str, str] | None:
        """Return each sample's file, mapped to its key; None where the dataset does not list them."""
        dataset = self.loader.items.dataset
        files = {file_of(dataset, key): str(key) for key in self.keys}
        return None if "" in files else files


def _shape(inputs: Any) -> str:
    """Return the kind and the shape of inputs: only what has both in common can be equal."""
    shape = getattr(inputs, "shape", None)
    size = getattr(inputs, "size", "") if shape is None else tuple(shape)
    return f"{type(inputs).__name__} {getattr(inputs, 'dtype', '')} {size}".replace("  ", " ")
