"""A new text for a spec that is there: validated before it takes the place of the old one."""

from __future__ import annotations

import codecs
from difflib import unified_diff
from io import StringIO
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING

from retspec.errors import RetspecError, UsageError
from retspec.prepare import prepare
from retspec.report.live import write_whole
from retspec.spec.load.spec_file import read

if TYPE_CHECKING:
    from pathlib import Path

    from retspec.cli.options import Planning
    from retspec.records import Spec

BYTE_ORDER_MARK = "\ufeff"


def require_unchanged(spec: Path, text: str) -> None:
    """Raise UsageError if a spec is not what it was before it was measured."""
    if read(str(spec)) != text:
        raise UsageError(f"{spec} has changed while it was measured; nothing is written")


def validated(text: str, target: Path, options: Planning) -> Spec:
    """Return the spec that a text would be at its place; raises UsageError if it is not valid there."""
    try:
        with NamedTemporaryFile("w", dir=target.absolute().parent, prefix=".retspec-", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            return prepare(file.name, **options)[0].spec
    except RetspecError as error:
        said = str(error).replace(file.name, str(target))
        raise UsageError(f"the new spec would not be valid there; nothing is written:\n{said}") from error
    except OSError as error:
        raise UsageError(f"cannot write beside {target}: {error.strerror}") from error


def difference(old: str, new: str, spec: Path, target: Path) -> str:
    """Return what would change, as a diff for `patch -p0`."""
    before, after = (StringIO(text).readlines() for text in (old, new))  # only a line feed ends a line there
    lines = unified_diff(before, after, str(spec), str(target))
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def rewrite(text: str, spec: Path, target: Path) -> None:
    """Write a new text of a spec, with the byte order mark of the old one."""
    mark = BYTE_ORDER_MARK if spec.read_bytes().startswith(codecs.BOM_UTF8) else ""
    write_whole(target, mark + text, "spec")
