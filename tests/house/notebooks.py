"""The notebook of the documentation: its code cells run in one process, and its page is made of them.

`nbclient` and a kernel would do the same at the price of a dozen packages. What is kept of a cell is what it prints and
the `repr` of its last expression, in the format of
https://nbformat.readthedocs.io/en/latest/format_description.html.
"""

from __future__ import annotations

import ast
import io
import json
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOTEBOOK, PAGE = "docs/notebook.ipynb", "docs/notebook.md"


def executed(notebook: dict[str, Any]) -> dict[str, Any]:
    """Return a notebook with the outputs that its code gives now; raises what a cell raises."""
    names: dict[str, Any] = {"__name__": "__main__"}
    cells, count = [], 0
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            count += 1
            outputs = [*_outputs("".join(cell["source"]), names, count)]
            cell = {**cell, "execution_count": count, "outputs": outputs}  # noqa: PLW2901 - the same cell, with outputs
        cells.append(cell)
    return {**notebook, "cells": cells}


def page_of(notebook: dict[str, Any]) -> str:
    """Return the page that shows a notebook: its texts, its code, and what that gives."""
    return "\n\n".join(part for cell in notebook["cells"] for part in _parts(cell)) + "\n"


def read(root: Path) -> dict[str, Any]:
    """Return the notebook as it is committed."""
    made: dict[str, Any] = json.loads((root / NOTEBOOK).read_text(encoding="utf-8"))
    return made


def written(notebook: dict[str, Any]) -> str:
    """Return a notebook as Jupyter writes it."""
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def _outputs(code: str, names: dict[str, Any], count: int) -> Iterator[dict[str, Any]]:
    tree = ast.parse(code)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    printed, value = io.StringIO(), None
    with redirect_stdout(printed):
        exec(compile(tree, NOTEBOOK, "exec"), names)  # noqa: S102 - the notebook of this repository
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), NOTEBOOK, "eval"), names)  # noqa: S307 - the same
    if printed.getvalue():
        yield {"name": "stdout", "output_type": "stream", "text": printed.getvalue().splitlines(keepends=True)}
    if value is not None:
        data = {"text/plain": [repr(value)]}
        yield {"data": data, "execution_count": count, "metadata": {}, "output_type": "execute_result"}


def _parts(cell: dict[str, Any]) -> Iterator[str]:
    source = "".join(cell["source"])
    if cell["cell_type"] == "markdown":
        yield source
        return
    yield f"```python\n{source}\n```"
    for output in cell["outputs"]:
        text = "".join(output["text"] if "text" in output else output["data"]["text/plain"])
        yield f"```text\n{text.rstrip()}\n```"
