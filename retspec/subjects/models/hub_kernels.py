"""Attention code of the hub, which a config can name and transformers would download and run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from retspec.errors import SubjectError, named
from retspec.regular_files import read_regular

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_MOST = 16 << 20
"""Bytes of a config; those with thousands of label names have less than one MiB."""


def require_no_kernel(name: str, path: Path, config: object, place: str) -> None:
    """Refuse a kernel of the hub, which has a slash in its name.

    It is looked for in the file, too: some versions of transformers take the key out when they read it.

    config: what transformers read. place: the key of the spec that names the file.
    Raises SubjectError.
    """
    try:
        content = read_regular(path, _MOST)
        said = None if content is None else json.loads(content.decode("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise SubjectError(f"{name} cannot be read as JSON: {named(error)}", path=place) from None
    if content is None:
        raise SubjectError(f"{name} is larger than {_MOST >> 20} MiB; is this a config?", path=place)
    if any("/" in str(value) for value in (getattr(config, "_attn_implementation", ""), *_attention_in(said))):
        raise SubjectError(f"{name} names attention code of the hub, which is never fetched", path=place)


def _attention_in(said: Any) -> Iterator[Any]:
    """Yield what a config, and those of its parts, say about the implementation of attention."""
    if isinstance(said, dict):
        for key, value in said.items():
            if key.endswith("attn_implementation"):
                yield value
            else:
                yield from _attention_in(value)
