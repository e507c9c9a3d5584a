"""Images that are stored inside of other files: a saved dataset of Hugging Face, shards of webdataset."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from retspec.subjects.data.arrow.saved import is_saved
from retspec.subjects.data.split_words import SPLITS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from retspec.cli.drafting.disk import Disk
    from retspec.cli.drafting.recognition import Found

_NUMBERED = re.compile(r"(.*?)(\d+)\.tar")


class StoredImages:
    """What a config names of them: shards by their keys, or a folder that holds them."""

    def __init__(self, found: Mapping[str, Found], disk: Disk) -> None:
        self._disk = disk
        self._folder = found.get("images")
        self._named = {split: found[f"{split}_shards"] for split in SPLITS if f"{split}_shards" in found}

    @property
    def is_saved(self) -> bool:
        """Whether the folder of images is what `save_to_disk` of Hugging Face's `datasets` wrote."""
        path = None if self._folder is None else self._disk.path(self._folder)
        return path is not None and (is_saved(path) or (path / "dataset_dict.json").is_file())

    @property
    def splits(self) -> list[str]:
        """The splits of it, as far as they show."""
        if self.is_saved:
            return [split for split, words in SPLITS.items() if any(self._is_split(word) for word in words)] or [
                "train"
            ]
        return [*(self._named or self._shards())]

    def section(self) -> Iterator[str]:
        """Yield the lines below `data`; none where nothing is stored so."""
        if self.is_saved and self._folder is not None:
            yield f"  datasets: {{root: {self._disk.reference(self._folder)}}}"
            yield "  #   image_column: image   # by default the only Image; label_column likewise"
            return
        patterns = {split: self._disk.reference(found) for split, found in self._named.items()} or self._shards()
        if patterns:
            yield "  webdataset:"
            yield from (f"    {split}: {pattern}" for split, pattern in patterns.items())
            yield "    # label: cls           # or a field of a sample's JSON: json.grade; group: json.patient"

    def _is_split(self, word: str) -> bool:
        path = None if self._folder is None else self._disk.path(self._folder)
        return path is not None and is_saved(path / word)

    def _shards(self) -> dict[str, str]:
        """Return split to the pattern of the archives that are called by it in the folder of images."""
        path = None if self._folder is None else self._disk.path(self._folder)
        if self._folder is None or path is None or not path.is_dir():
            return {}
        start = json.loads(self._disk.reference(self._folder))
        return {
            split: json.dumps(f"{start}/{pattern}", ensure_ascii=False)
            for split, words in SPLITS.items()
            if (pattern := next((found for word in words if (found := shards_called(path, word))), ""))
        }


def shards_called(folder: Path, word: str) -> str:
    """Return the pattern of the archives that begin with a word, such as `train-{000..146}.tar`; empty for none.

    Those whose numbers have gaps are a pattern, too: a run names what is missing.
    """
    names = sorted(each.name for each in folder.iterdir() if re.fullmatch(rf"{word}(?![A-Za-z]).*\.tar", each.name))
    numbered = [found for name in names if (found := _NUMBERED.fullmatch(name))]
    starts = {found[1] for found in numbered}
    if len(names) < 2 or len(numbered) < len(names) or len(starts) > 1:  # noqa: PLR2004 - braces are for several
        return names[0] if names else ""
    ends = sorted((found[2] for found in numbered), key=int)
    return f"{starts.pop()}{{{ends[0]}..{ends[-1]}}}.tar"
