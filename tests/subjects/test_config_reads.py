"""A mapping that notes its reads tells what is asked for by name from what is taken with all the rest."""

from __future__ import annotations

import copy
import dataclasses
import json
import pickle
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from omegaconf import OmegaConf

from retspec.subjects.training.watching.config_reads import ConfigFollower
from retspec.subjects.training.watching.recorded import Reads, Recorded, unrecorded

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CONFIG = {"a": 1, "b": {"c": 2, "d": 3}, "l": [{"x": 1}, {"x": 2}], "n": [1, 2]}
EVERY = {"a", "b.c", "b.d", "l.0.x", "l.1.x", "n"}


@dataclasses.dataclass
class Holder:
    """Holds a config, as an options class does."""

    config: dict[str, Any]


def after(use: Callable[[Any], object]) -> tuple[set[str], set[str]]:
    """Return what was read by name, and what is not known, after some use of the config."""
    reads = Reads(CONFIG)
    use(Recorded(CONFIG, "", reads))
    read = {place for place in reads.leaves if reads.is_read(place)}
    return read, {place for place in reads.leaves if reads.is_unknown(place)} - read


@pytest.mark.parametrize(
    ("use", "read"),
    [
        (lambda config: (config["a"], config["b"]["c"]), {"a", "b.c"}),
        (lambda config: (config.get("a"), config["b"].pop("d")), {"a", "b.d"}),
        (lambda config: ("a" in config, copy.deepcopy(config)["b"]["c"]), {"a", "b.c"}),
        (lambda config: (repr(config), config["n"]), {"n"}),
        (lambda config: (config["a"], [each["x"] for each in config["l"]]), {"a", "l.0.x", "l.1.x"}),
    ],
)
def test_what_is_asked_for_by_name_is_read_and_nothing_else_is(use: Callable[[Any], object], read: set[str]) -> None:
    assert after(use) == (read, set())


@pytest.mark.parametrize(
    "use",
    [
        dict,
        lambda config: {**config},
        lambda config: config | {"z": 1},
        lambda config: list(config.items()),
        lambda config: {key: config[key] for key in config},
        {}.update,
        json.dumps,
        pickle.dumps,
        lambda config: dataclasses.asdict(Holder(config)),
        unrecorded,
        lambda _config: None,
    ],
    ids=["dict", "two stars", "union", "items", "loop", "update", "json", "pickle", "asdict", "plain", "not used"],
)
def test_what_is_taken_as_a_whole_is_not_known(use: Callable[[Any], object]) -> None:
    assert after(use) == (set(), EVERY)


def test_a_section_that_was_taken_with_the_whole_is_followed() -> None:
    assert after(lambda config: SimpleNamespace(**config).b["d"]) == ({"b.d"}, {"a", "l.0.x", "l.1.x", "n"})


def test_a_section_that_is_handed_on_is_not_known() -> None:
    assert after(lambda config: config["b"]) == (set(), {"b.c", "b.d"})


def test_another_process_gets_a_plain_dict() -> None:
    assert type(pickle.loads(pickle.dumps(Recorded(CONFIG, "", Reads(CONFIG))))) is dict  # noqa: S301 - our own


def test_readers_and_dumpers_are_put_back_whatever_happens(tmp_path: Path) -> None:
    path = tmp_path / "train.yaml"
    path.write_text(yaml.safe_dump(CONFIG))
    before = (json.load, json.loads, yaml.load, yaml.safe_load, dict(yaml.SafeDumper.yaml_representers))
    follower = ConfigFollower(path)

    def fail() -> None:
        with follower.following():
            assert yaml.safe_load(path.read_text())["a"] == 1
            assert type(yaml.safe_load("a: 1")) is dict, "another text"
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert before == (json.load, json.loads, yaml.load, yaml.safe_load, dict(yaml.SafeDumper.yaml_representers))
    facts = follower.facts(tmp_path, is_complete=True)
    assert (facts.opened, facts.followed, facts.read) == (True, True, ("a",))
    assert facts.unread == ("b.c", "b.d", "l.0.x", "l.1.x", "n")


def test_what_notes_its_reads_is_written_as_a_dict_is(tmp_path: Path) -> None:
    path = tmp_path / "train.yaml"
    path.write_text(yaml.safe_dump(CONFIG))
    with ConfigFollower(path).following():
        config = yaml.safe_load(path.read_text())
        assert yaml.safe_dump(config) == yaml.safe_dump(CONFIG)
        assert json.dumps(config) == json.dumps(CONFIG)


def test_a_key_that_the_code_names_may_be_read_later(tmp_path: Path) -> None:
    path = tmp_path / "train.yaml"
    unnamed = "nobody-names-it".replace("-", "_")  # no other file may name it either: all tests are code that is loaded
    path.write_text(f"a: 1\nout: x\n{unnamed}: 3\n")
    (tmp_path / "train.py").write_text('save(config["out"])\nnobody_names_it = 5\n')
    follower = ConfigFollower(path)
    with follower.following():
        yaml.safe_load(path.read_text())["a"]
    facts = follower.facts(tmp_path, is_complete=False)
    assert (facts.later, facts.unread) == (("out",), (unnamed,))


@pytest.mark.parametrize("load", [OmegaConf.load, lambda path: OmegaConf.create(yaml.safe_load(path.read_text()))])
def test_omegaconf_gets_what_it_takes_and_is_put_back(load: Callable[[Path], Any], tmp_path: Path) -> None:
    path = tmp_path / "train.yaml"
    path.write_text(yaml.safe_dump(CONFIG))
    before = OmegaConf.create
    follower = ConfigFollower(path)
    with follower.following():
        assert load(path).b.d == 3
    assert OmegaConf.create is before
    facts = follower.facts(tmp_path, is_complete=True)
    assert (set(facts.unknown), facts.read, facts.unread) == (EVERY, (), ())
