r"""results.json: everything that a run found, for programs; `retspec judge` and the plots read it back.

It holds the fields of `retspec.records.Report`, and two that are derived from them: `exit_code`, and `counts`
by verdict. JSON has no NaN and no infinity: such floats are the strings "nan", "inf" and "-inf". Lone
surrogates, which strict readers reject, are spelled out as `\udc80`. A detail that is not plain data is
written as text. A report has the fields `asked`, `pictures` and `proof` only if options selected or overrode
something, if the spec asks for pictures, and if `retspec prove` was run; a result the field `output` only if something
was printed; an observation the field `unseen` only if something was not looked at, and `noise` only if a miss may be
due to it. Only a check that declares it has the field `interval` in an observation, and `judge` in a criterion; only a
run that reads predictions has their hashes. Only a criterion that was measured under several seeds has
the field `seeds` in its result, and `aggregate` only one that names it.
"""

from __future__ import annotations

import math
from json import dumps
from typing import TYPE_CHECKING, Any

import msgspec

from retspec.plugin import reporter
from retspec.records import Report, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping


_LEFT_OUT = frozenset({"unseen", "noise", "interval", "judge", "aggregate", "predictions_sha256"})
"""Fields of an observation, of a criterion and of the provenance that are not written where they are empty."""

_SILENT = frozenset({"output", "seeds"})
"""The same of a result."""


@reporter
def json(report: Report) -> str:
    """Everything that the run found, as JSON for programs: keys sorted, two spaces deep."""
    return dumps(plain_document(report), indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"


def plain_document(report: Report) -> dict[str, Any]:
    """Return the report as plain data that every JSON reader accepts, with the exit code and the counts."""
    document = _without_silence(msgspec.to_builtins(report, str_keys=True, enc_hook=str)) | {
        "counts": {verdict.value: report.count(verdict) for verdict in Verdict},
        "exit_code": report.exit_code,
    }
    return _strict_object(document)


def _strict(value: Any) -> Any:
    """Return a value that every JSON reader accepts."""
    match value:
        case float() if not math.isfinite(value):
            return str(value)
        case str():
            return _encodable(value)
        case dict():
            return _strict_object(value)
        case list() | tuple():
            return [_strict(entry) for entry in value]
    return value


def _strict_object(value: Mapping[str, Any]) -> dict[str, Any]:
    return {_encodable(name): _strict(entry) for name, entry in value.items()}


def _without_silence(report: dict[str, Any]) -> dict[str, Any]:
    """Return a report without `asked`, `pictures` and `proof` where there is nothing, and without empty outputs."""
    results = [
        {name: _seen_whole(field) for name, field in result.items() if field or name not in _SILENT}
        for result in report["results"]
    ]
    holds = {
        "asked": any(report["asked"].values()),
        "pictures": bool(report["pictures"]),
        "proof": report["proof"] is not None,
    }
    kept = {name: field for name, field in report.items() if holds.get(name, True)}
    provenance = _seen_whole(report["provenance"])
    return kept | {"results": results, "provenance": provenance, "cells": [*map(_without_silence, report["cells"])]}


def _seen_whole(field: Any) -> Any:
    """Return a record without the fields that are left out where they are empty."""
    if not isinstance(field, dict):
        return field
    return {name: entry for name, entry in field.items() if entry or name not in _LEFT_OUT}


def _encodable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
