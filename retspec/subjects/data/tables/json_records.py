"""Tables in JSON: an object per line, a list of objects, or an object of columns as pandas writes it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from retspec.errors import SubjectError
from retspec.subjects.data.tables.table import Table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from retspec.subjects.data.tables.encodings import Text


def json_table(text: Text, shown: str, path: str) -> Table:
    """Return a table whose columns are the keys of JSON objects, in the order in which they appear.

    Raises SubjectError at the place `path` in the spec for what is no JSON, or holds no objects.
    """
    numbers, records = _records(text.text, shown, path)
    header = tuple(dict.fromkeys(key for record in records for key in record))
    if not header:
        raise SubjectError(f"{shown} is empty; a table has an object per image", path=path)

    def read(places: Sequence[int], _notes: list[str]) -> list[list[str]]:
        return [[_cell(record.get(header[place])) for record in records] for place in places]

    return Table(shown, header, read, (text.note,) if text.note else (), lines=numbers, is_guessed=text.is_guessed)


def looks_like_json(text: str) -> bool:
    """Whether a text begins as JSON with objects in it does, and as no table with a header."""
    start = text.lstrip()[:200]
    return start.startswith("{") or (start.startswith("[") and start[1:].lstrip().startswith("{"))


def _records(text: str, shown: str, path: str) -> tuple[list[int], Sequence[Mapping[str, Any]]]:
    """Return the objects, and the line of each where each has its own."""
    lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    if not _is_object(lines[0][1]) or len(lines) == 1:
        return [], _from_whole(text, shown, path)
    records = []
    for number, line in lines:
        record = _parsed(line, shown, path, number)
        if not isinstance(record, dict):
            raise SubjectError(f"{shown}:{number}: {type(record).__name__}, not an object in braces", path=path)
        records.append(record)
    return [number for number, _ in lines], records


def _from_whole(text: str, shown: str, path: str) -> Sequence[Mapping[str, Any]]:
    whole = _parsed(text, shown, path, 1)
    if isinstance(whole, list) and all(isinstance(entry, dict) for entry in whole):
        return whole
    columns = [*whole.values()] if isinstance(whole, dict) else []
    if columns and all(isinstance(column, list) and len(column) == len(columns[0]) for column in columns):
        return [dict(zip(whole, cells, strict=True)) for cells in zip(*columns, strict=True)]
    if columns and all(isinstance(column, dict) and column.keys() == columns[0].keys() for column in columns):
        return [{title: column[row] for title, column in whole.items()} for row in columns[0]]
    if columns and not any(isinstance(column, (dict, list)) for column in columns):
        return [whole]
    raise SubjectError(
        f"{shown} is JSON, but no list of objects and no columns of equal length; write an object per image", path=path
    )


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _parsed(text: str, shown: str, path: str, line: int) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        where = f"{shown}:{line + error.lineno - 1}:{error.colno}"
        raise SubjectError(f"{where}: this is not JSON: {error.msg}", path=path) from error
    except (ValueError, RecursionError) as error:
        raise SubjectError(
            f"{shown}:{line}: this JSON is nested too deep, or has a number too long", path=path
        ) from error


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value.strip() if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
