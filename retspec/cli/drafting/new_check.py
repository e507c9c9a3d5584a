"""The files of a check of one's own: a plugin, a spec that uses it, and its tests; each works as it is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_PLUGIN = '''\
"""The check `{name}`. What it computes is an example: put your own question, value and advice in its place.

The guide: docs/plugins.md of retspec. `retspec checks {name} -p {name}.py` shows the manual that this makes.
"""

from __future__ import annotations

from retspec.facts import Parameters
from retspec.plugin import Check, Count, Observed, check, hookimpl


@check(direction="at most", unit="parameters", advice="Say here what to do when the limit is missed.")
def {name}(parameters: Parameters, *, contains: str = "head") -> Observed[Count]:
    """How many trainable parameters have this text in their name?

    Why it matters:
        Say what goes wrong when nobody asks.

    Example:
        {name}: 10_000

    What the number means:
        Elements of all parameters with requires_grad whose name contains `contains`.
    """
    found = {{each.name: each.count for each in parameters.trainable if contains in each.name}}
    return Observed(sum(found.values()), {{"found": found}})


@hookimpl
def retspec_checks() -> list[Check]:
    return [{name}]
'''

_SPEC = """\
retspec: 1
name: {name}
description: "`retspec run {name}.retspec.yaml` runs it, and so does pytest, where retspec is installed."
plugins: [{name}.py]

model:                                   # no weights are made for it: put your own model here
  timm: vit_tiny_patch16_224
  kwargs: {{num_classes: 5}}
  lora: {{target_modules: [qkv], modules_to_save: [head]}}

checks:
  {name}:
    limit: 10_000
    with: {{contains: head}}
"""

_TEST = '''\
"""The check `{name}`: on facts that are written down, and in a run that misses its limit."""

from __future__ import annotations

from retspec.facts import Parameters
from retspec.facts.parameters import Group, Parameter

from {name} import {name}


def test_{name}_counts_what_trains_and_has_the_text_in_its_name():
    parameters = (
        Parameter("head.weight", 10, Group.HEAD, trainable=True),
        Parameter("head.bias", 1, Group.HEAD, trainable=False),
        Parameter("blocks.0.weight", 100, Group.OTHER, trainable=True),
    )
    observed = {name}(Parameters(parameters), contains="head")
    assert (observed.value, observed.details) == (10, {{"found": {{"head.weight": 10}}}})


def test_{name}_is_missed_where_its_limit_is_too_low(retspec_run):
    report = retspec_run("{name}.retspec.yaml", overrides=["checks.{name}.limit=5"])
    assert report.exit_code == 1
    assert report.results[0].observed.value > 5
'''


def files_of(name: str) -> Mapping[str, str]:
    """Return the text of each file of a check, by its file name; `retspec_run` and the spec are pytest's."""
    templates = {f"{name}.py": _PLUGIN, f"{name}.retspec.yaml": _SPEC, f"test_{name}.py": _TEST}
    return {file: template.format(name=name) for file, template in templates.items()}
