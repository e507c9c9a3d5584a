"""Completion of words with `=` in bash, which cuts them there.

`--cell r=8` arrives as `--cell`, `r`, `=`, `8`, and what is completed replaces the `8` alone: `=` is one of bash's
COMP_WORDBREAKS (https://www.gnu.org/software/bash/manual/html_node/Bash-Variables.html).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from click.shell_completion import BashComplete

if TYPE_CHECKING:
    from collections.abc import Sequence

    from click.shell_completion import CompletionItem

_CUT = "="


class BashWords(BashComplete):
    """Puts the words together again, and answers with what follows the last `=` that bash has cut."""

    _kept = ""
    """What bash keeps of the word that is completed."""

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the words before the one that is completed, and that one as far as it is typed."""
        before, typed = super().get_completion_args()
        *args, incomplete = rejoined([*before, typed])
        if _CUT in (typed, *before[-1:]):
            value = incomplete.partition(_CUT)[2] if incomplete.startswith("-") else incomplete
            self._kept = value[: value.rfind(_CUT) + 1]
        return args, incomplete

    def format_completion(self, item: CompletionItem[str]) -> str:
        """Return an item without what bash keeps."""
        return f"{item.type},{item.value.removeprefix(self._kept)}"


def rejoined(words: Sequence[str]) -> list[str]:
    """Return the words with each `=` between its neighbours: `a`, `=`, `b` is `a=b`."""
    joined: list[str] = []
    for index, word in enumerate(words):
        if joined and _CUT in (word, words[index - 1]):
            joined[-1] += word
        else:
            joined.append(word)
    return joined
