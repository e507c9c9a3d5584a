"""What the code under test printed, as lines for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.characters import one_line, visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from retspec.records import Output

LAST_LINES = 20
"""Lines of each stream that are shown where not everything is."""


def printed_lines(output: Output, most: int | None = LAST_LINES) -> Iterator[str]:
    """Yield a headline for each stream that has something, and below it the last lines; None shows all of them.

    Safe to show: `visible` goes over them again, because the record may come from a file.
    """
    for stream, text in (("stdout", output.stdout), ("stderr", output.stderr)):
        lines = visible(text).splitlines()
        shown = lines if most is None else lines[-most:]
        if lines:
            left_out = len(lines) - len(shown)
            before = f", without the first {left_out:,} lines" if left_out else ""
            yield f"{stream} of {one_line(output.source)}{before}:"
            yield from (f"| {line}" for line in shown)
