"""Follow what a training reads of its config: its readers of YAML and JSON give a mapping that notes its reads."""

from __future__ import annotations

import json
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from retspec.facts.config import ConfigReads
from retspec.subjects.openings import openings_noted, real_path
from retspec.subjects.training.watching.named_keys import text_constants
from retspec.subjects.training.watching.recorded import Reads, Recorded, unrecorded

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_READERS = {"json": ("load", "loads"), "yaml": ("load", "safe_load", "full_load", "unsafe_load")}
_DUMPERS = ("SafeDumper", "Dumper", "CSafeDumper", "CDumper")


class ConfigFollower:
    """Notes the reads of the config at a path."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._text = path.read_text(encoding="utf-8", errors="replace")
        self._reads: Reads | None = None
        self._real = real_path(path)
        self._is_opened = False

    @contextmanager
    def following(self) -> Iterator[None]:
        """Let the readers of YAML and JSON give what notes its reads, for this file alone, and put them back."""
        import yaml

        with ExitStack() as stack:
            stack.enter_context(openings_noted(self._note_opening))
            for module in (json, yaml):
                for name in _READERS[module.__name__]:
                    stack.enter_context(self._replaced(module, name))
            stack.enter_context(_plain_for_omegaconf())
            for name in _DUMPERS:
                if hasattr(yaml, name):
                    stack.enter_context(_representing(getattr(yaml, name)))
            yield

    @contextmanager
    def _replaced(self, module: Any, name: str) -> Iterator[None]:
        original = getattr(module, name)

        def reading(*args: Any, **kwargs: Any) -> Any:
            is_config = any(map(self._is_config, (*args[:1], *kwargs.values())))
            value = original(*args, **kwargs)
            return self._recorded(value) if is_config else value

        setattr(module, name, reading)
        try:
            yield
        finally:
            setattr(module, name, original)

    def _note_opening(self, path: Any) -> None:
        self._is_opened = self._is_opened or real_path(path) == self._real

    def _is_config(self, source: Any) -> bool:
        """Whether a reader gets this file: as a stream with its name, or as its text."""
        if isinstance(source, (bytes, bytearray)):
            source = source.decode(errors="replace")
        if isinstance(source, str):
            return source.strip() == self._text.strip()
        return real_path(getattr(source, "name", None)) == self._real

    def _recorded(self, value: Any) -> Any:
        if type(value) is not dict:  # `yaml.safe_load` calls `yaml.load`, which has recorded it already
            return value
        self._reads = self._reads or Reads(value)
        return Recorded(value, "", self._reads)

    def facts(self, folder: Path, *, is_complete: bool) -> ConfigReads:
        """Return what was read.

        folder: where the training's own code lies.
        is_complete: whether the training came to its own end. Else a key that its code names may be read later.
        """
        reads = self._reads
        leaves = [] if reads is None else reads.leaves
        read = [each for each in leaves if reads and reads.is_read(each)]
        unknown = [each for each in leaves if reads and not reads.is_read(each) and reads.is_unknown(each)]
        rest = [each for each in leaves if each not in {*read, *unknown}]
        named = text_constants(folder) if rest and not is_complete else frozenset()
        later = [each for each in rest if each.rpartition(".")[2] in named]
        return ConfigReads(
            file=str(self._path),
            opened=self._is_opened,
            followed=reads is not None,
            read=tuple(read),
            unknown=tuple(unknown),
            later=tuple(later),
            unread=tuple(each for each in rest if each not in later),
        )


@contextmanager
def _plain_for_omegaconf() -> Iterator[None]:
    """Let OmegaConf, and Hydra by it, get plain dicts: it refuses other classes, and copies what it gets anyway.

    See https://omegaconf.readthedocs.io/en/latest/usage.html#creating
    """
    if find_spec("omegaconf") is None:
        yield
        return
    from omegaconf import OmegaConf

    maker: Any = OmegaConf
    original = maker.create

    def create(*args: Any, **kwargs: Any) -> Any:
        return original(*map(unrecorded, args), **{name: unrecorded(value) for name, value in kwargs.items()})

    maker.create = staticmethod(create)
    try:
        yield
    finally:
        maker.create = staticmethod(original)


@contextmanager
def _representing(dumper: Any) -> Iterator[None]:
    """Let a dumper of PyYAML write what notes its reads as it writes a dict."""
    name = "yaml_representers"
    before = vars(dumper).get(name)
    dumper.add_representer(Recorded, lambda each, value: each.represent_dict(value))
    try:
        yield
    finally:
        if before is None:
            delattr(dumper, name)
        else:
            getattr(dumper, name).pop(Recorded, None)
