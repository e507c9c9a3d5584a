"""A spec drafted from a watched training: what was seen becomes limits."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from retspec.cli.drafting.writing import SCHEMA
from retspec.facts import Group
from retspec.records import Verdict
from retspec.text.wording import readable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from retspec.cli.watched.command_line import CommandLine
    from retspec.cli.watched.facts import Seen
    from retspec.records import Result, Value

_HEAD = """\
# yaml-language-server: $schema={schema}
# Drafted by `retspec watch` from: {typed}
# The training runs as it is, in the directory that `retspec run` is started in, and is ended after `steps` optimizer
# steps. Under `as seen` each limit is what was seen. What could not be judged is a comment.
#
#   retspec run FILE         does the training meet the criteria?
retspec: 1
name: {name}
description: Gate before a training run.
"""
_ON_LOADERS = ("loaders_share_samples: 0", "bad_batches: 0", "equal_worker_samples: {limit: 0, with: {workers: 2}}")
_RATES = 5
"""Learning rates that a draft holds the first steps to."""


def draft(training: CommandLine, seen: Seen, results: Sequence[Result], path: Path) -> str:
    """Return the text of a spec that lies at a path."""
    head = _HEAD.format(schema=SCHEMA, typed=training.typed, name=json.dumps(path.stem))
    script = os.path.relpath(training.value, path.absolute().parent) if training.source == "script" else ""
    section = [f"  {key}: {_yaml(value)}" for key, value in training.section(seen.loop.requested, value=script).items()]
    checks = ["checks:", "  # true of every training", *map(_suspicion, results), "  # as seen", *_as_seen(seen)]
    checks += ["  # of the loaders that it read; not measured yet", *(f"  # {each}" for each in _ON_LOADERS)]
    return "\n".join([head, "train:", *section, "", "run: {timeout: 10m}", "", *checks]) + "\n"


def _suspicion(result: Result) -> str:
    criterion = result.criterion
    limit = _yaml(criterion.limit)
    if criterion.severity.value == "warn":
        limit = f"{{limit: {limit}, severity: warn}}"
    line = f"{criterion.id}: {limit}"
    if not result.verdict.is_decided:
        return f"  # {line}   # {result.reason}"
    if result.verdict is not Verdict.MET and result.observed is not None:
        return f"  {line}   # seen: {readable(result.observed.value)}"
    return f"  {line}"


def _as_seen(seen: Seen) -> Iterator[str]:
    """Yield the criteria whose limits are the training's own."""
    loop = seen.loop
    passes = {step.backwards for step in loop.main_steps}
    if len(passes) == 1:
        yield f"  accumulation: {passes.pop()}"
    if loop.autocast_dtype:
        yield f"  autocast_dtype: {loop.autocast_dtype}"
    if seen.parameters is not None:
        yield f"  max_trainable_params: {seen.parameters.trainable_total}"
        if seen.parameters.breakdown()[Group.HEAD]:
            yield "  head_trainable: true"
        if seen.parameters.adapted_layers:
            yield f"  lora_layers: {len(seen.parameters.adapted_layers)}"
            yield "  merge_atol: 1e-4"
    if seen.reads is not None:
        yield f"  train_loader_augments: {_yaml(bool(seen.reads.differing))}"
    rates = loop.optimizers[loop.main].groups[0].rates[:_RATES]
    if any(rates):
        yield f"  lr_rtol: {{limit: 1e-3, with: {{rates: {_yaml([float(f'{rate:.6g}') for rate in rates])}}}}}"


def _yaml(value: Value | list[str] | Any) -> str:
    """Return a value as YAML on one line, which JSON is; `${` in a text would be a reference."""
    return json.dumps(value).replace("${", "$${")
