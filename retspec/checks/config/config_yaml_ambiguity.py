"""`config_yaml_ambiguity`."""

from __future__ import annotations

from retspec.facts import ConfigReadings
from retspec.plugin import Count, Inconclusive, Observed, check


@check(
    direction="at most",
    unit="values",
    default_limit=0,
    advice="Write what both versions read alike: `1.0e-4` for a number, `true` for on and yes, quotes around a text, "
    "and no zero before an integer.",
)
def config_yaml_ambiguity(config_readings: ConfigReadings) -> Observed[Count]:
    """Does every reader of YAML read the same values in the training config?

    Why it matters:
        PyYAML follows YAML 1.1: `lr: 1e-4` is a text, `batch_size: 010` is 8, `amp: on` is true, `1:30` is ninety. A
        reader of YAML 1.2, as an editor or retspec, takes them for 0.0001, 10, a text and a text. The training then
        runs with other values than those that were checked.

    Example:
        config_yaml_ambiguity: 0

    What the number means:
        Unquoted values and keys in the file under `config:` that YAML 1.1 (https://yaml.org/type/) reads otherwise than
        the core schema of YAML 1.2 (https://yaml.org/spec/1.2.2/#103-core-schema), before any override. A config in
        JSON, TOML or Python has one reading, and no verdict.
    """
    if not config_readings.is_yaml:
        raise Inconclusive(f"the config is {_kind(config_readings.file)}, which every reader reads alike")
    found = list(config_readings.otherwise)
    return Observed(len(found), {"values": found})


def _kind(file: str) -> str:
    kinds = {".json": "JSON", ".toml": "TOML", ".py": "Python"}
    return next((kind for suffix, kind in kinds.items() if file.lower().endswith(suffix)), "a text")
