"""The measurement `loader_files`: where the files lie that the user's loaders read."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any

from msgspec import Meta

from retspec.errors import Inconclusive, SubjectError, describe
from retspec.facts import FilesOfLoader, LoaderFiles
from retspec.plugin import Cost, PositiveInt, measurement
from retspec.subjects.data.item_files import ListedFiles, is_below, opened_files
from retspec.subjects.data.pairs import spread

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from retspec.subjects.data.user_loaders import UserLoader, UserLoaders

_SHOWN = 10


@measurement(cost=Cost.FORWARD)
def loader_files(
    loaders: UserLoaders,
    data_folders: Callable[[Sequence[str]], Sequence[str]],
    *,
    below: Annotated[
        list[str],
        Meta(
            description="Folders of the data, or tables in them, relative to the spec or the working directory; by "
            "default the one that the section `data` names."
        ),
    ] = [],  # noqa: B006 - read only
    items: Annotated[PositiveInt, Meta(description="Items to read, spread evenly over the dataset.")] = 16,
) -> LoaderFiles:
    """Look up the files that the datasets list, and those that are opened while items are read."""
    folders = data_folders(below)
    if not folders:
        raise Inconclusive(
            "the spec names no folder of the data; name the one that the config names: "
            "`with: {below: [${config.data_path}]}`"
        )
    return LoaderFiles(tuple(folders), tuple(_files(each, folders, items) for each in loaders.every))


def _files(loader: UserLoader, folders: Sequence[str], items: int) -> FilesOfLoader:
    try:
        keys = loader.keys()
    except Inconclusive as error:
        return FilesOfLoader(loader.name, 0, None, obstacle=str(error))
    opened = _of_one_item(_opened(loader, keys, items), folders)
    listed = ListedFiles(loader.items.dataset)
    known = stray = 0
    shown: list[str] = []
    for key in keys:
        files = listed.of(key) | opened.get(str(key), frozenset())
        known += bool(files)
        if files and not any(is_below(each, folders) for each in files):
            stray += 1
            shown += sorted(files)[: max(_SHOWN - len(shown), 0)]
    what = f"the dataset of the loader `{loader.name}` lists no files, and none is opened while items are read"
    return FilesOfLoader(loader.name, known, len(keys), stray, tuple(shown), "" if known else what)


def _of_one_item(opened: dict[str, frozenset[str]], folders: Sequence[str]) -> dict[str, frozenset[str]]:
    """Leave out what lies elsewhere and is opened for several items: a font, a table, an archive."""
    times = Counter(file for files in opened.values() for file in files)
    shared = {file for file, number in times.items() if number > 1 and not is_below(file, folders)}
    return {key: files - shared for key, files in opened.items()}


def _opened(loader: UserLoader, keys: Sequence[Any], items: int) -> dict[str, frozenset[str]]:
    """Return the files that are opened while items are read, by their keys.

    The first item is read once before: what is opened then alone, such as a table or a module, is no item's file.
    """
    dataset = loader.items.dataset
    chosen = [keys[index] for index in spread(items, len(keys))]
    try:
        dataset[chosen[0]]
        return {str(key): opened_files(lambda key=key: dataset[key]) for key in chosen}  # type: ignore[misc]
    except Exception as error:
        raise SubjectError(
            f"an item of the loader `{loader.name}` raised {describe(error)}", path=loader.path
        ) from error
