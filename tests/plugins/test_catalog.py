"""The catalog holds what the plugins offer, and says in one line what is wrong with one that cannot be used."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from retspec import checks as built_in
from retspec.errors import PluginError
from retspec.plugin import Check, discover, hookimpl
from retspec.plugins.catalog import Plugin, gather
from tests.plugins.samples import CHECK

if TYPE_CHECKING:
    from pathlib import Path

    from tests.plugins.samples import Install, Write


def one_line_of(error: pytest.ExceptionInfo[PluginError]) -> str:
    line = str(error.value)
    assert "\n" not in line
    return line


# Gathering -----------------------------------------------------------------------------------------


def test_every_built_in_check_is_in_the_catalog_under_its_own_name() -> None:
    catalog = gather(entry_points=False)
    assert list(catalog.checks.values()) == discover(built_in, Check)
    assert all(name == check.name for name, check in catalog.checks.items())
    assert catalog.plugins == ()


def test_a_file_adds_its_check_and_is_remembered_for_the_worker(write: Write) -> None:
    path = str(write("mine.py", CHECK.format(name="steps_taken")))
    catalog = gather([path], entry_points=False)
    assert catalog.checks["steps_taken"].family.startswith("retspec_plugin_mine")
    assert catalog.plugins == (Plugin(path, path, offers=("steps_taken",)),)
    assert (catalog.named, catalog.entry_points, catalog.broken) == ((path,), False, ())


def test_a_module_is_named_by_its_dotted_name(install: Install) -> None:
    install("dotted", CHECK.format(name="steps_taken"))
    assert "steps_taken" in gather(["dotted_module"], entry_points=False).checks


def test_a_plugin_file_shadows_nothing(write: Write) -> None:
    """A file may be called like a module of the standard library: nothing else gets to see it."""
    before = [*sys.path]
    gather([str(write("json.py", CHECK.format(name="steps_taken")))], entry_points=False)
    assert sys.path == before
    assert sys.modules["json"] is json


def test_all_kinds_of_things_are_gathered(write: Write) -> None:
    path = write(
        "all_kinds.py",
        """
from retspec.plugin import Cost, Reporter, data_source, hookimpl, measurement, model_source

@measurement(cost=Cost.STATIC)
def width(skeleton): return 1

@model_source
def hub(name: str): "A model."

@data_source
def video(path: str, request): "Frames."

@hookimpl
def retspec_measurements(): return [width]
@hookimpl
def retspec_model_sources(): return [hub]
@hookimpl
def retspec_data_sources(): return [video]
@hookimpl
def retspec_reporters(): return [Reporter(name="morse", render=str)]
""",
    )
    catalog = gather([str(path)], entry_points=False)
    assert {"width"} <= set(catalog.measurements)
    assert {"hub", "timm"} <= set(catalog.model_sources)
    assert {"video", "synthetic"} <= set(catalog.data_sources)
    assert {"morse", "table"} <= set(catalog.reporters)
    assert catalog.plugins[0].offers == ("hub", "morse", "video", "width")


def test_what_a_check_reads_and_takes_includes_what_its_measurements_do(write: Write) -> None:
    path = write(
        "derived.py",
        CHECK.format(name="unused")
        .replace(
            "@hookimpl",
            """
from retspec.plugin import Cost, measurement

@measurement(cost=Cost.TRAINING)
def slope(training: Training, *, smooth: int = 3) -> float:
    '''How steeply the loss falls.'''
    return 0.0

@check(direction="at most", advice="Lower the learning rate.")
def steepness(slope: float, *, ignore_first: int = 1) -> float:
    '''How steep is it?'''
    return slope

@hookimpl
def retspec_measurements(): return [slope]

@hookimpl""",
        )
        .replace("[unused]", "[steepness]"),
    )
    catalog = gather([str(path)], entry_points=False)
    check = catalog.checks["steepness"]
    assert catalog.measurements_of(check) == ["slope", "training"]
    assert set(catalog.inputs_of("slope")) >= {"training", "model", "batch", "trainer"}
    assert set(catalog.arguments_of(check)) >= {"ignore_first", "smooth", "steps", "lr"}


def test_an_observer_is_told_of_what_happens() -> None:
    class Listener:
        def __init__(self) -> None:
            self.seen: list[tuple[str, int, int]] = []

        @hookimpl
        def retspec_progress(self, measurement: str, step: int, total: int) -> None:
            self.seen.append((measurement, step, total))

    listener = Listener()
    hook: Any = gather(entry_points=False, observers=[listener]).hooks.hook
    hook.retspec_progress(measurement="training", step=1, total=20, name="a")
    assert listener.seen == [("training", 1, 20)]


# Discovery -----------------------------------------------------------------------------------------


def test_discovery_finds_what_lies_deep_once_and_by_name(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """A check that several modules import is one check; a module nobody imports is found."""
    package = write("deepfield/__init__.py", "from deepfield.b.late import zulu\n").parent
    write("deepfield/b/__init__.py", "")
    write("deepfield/b/late.py", CHECK.format(name="zulu"))
    write("deepfield/alone.py", CHECK.format(name="alpha"))
    monkeypatch.syspath_prepend(package.parent)
    import deepfield  # type: ignore[import-not-found]

    assert [check.name for check in discover(deepfield, Check)] == ["alpha", "zulu"]


# Names ---------------------------------------------------------------------------------------------


def test_two_plugins_that_claim_one_name_are_an_error_that_names_both(write: Write) -> None:
    first, second = (str(write(name, CHECK.format(name="steps_taken"))) for name in ("first.py", "second.py"))
    with pytest.raises(PluginError) as error:
        gather([first, second], entry_points=False)
    line = one_line_of(error)
    assert "checks: 'steps_taken' is claimed by both" in line
    assert first in line
    assert second in line


def test_a_built_in_name_cannot_be_taken(write: Write) -> None:
    with pytest.raises(PluginError) as error:
        gather([str(write("thief.py", CHECK.format(name="loss_drop")))], entry_points=False)
    assert "'loss_drop' is claimed by both" in one_line_of(error)
    assert "retspec.checks" in one_line_of(error)


def test_a_reporter_cannot_take_a_name_either(write: Write) -> None:
    path = write(
        "reporter.py",
        """
from retspec.plugin import Reporter, hookimpl
@hookimpl
def retspec_reporters(): return [Reporter(name="junit", render=str)]
""",
    )
    with pytest.raises(PluginError, match="reporters: 'junit' is claimed by both"):
        gather([str(path)], entry_points=False)


def test_a_check_that_asks_for_the_model_learns_what_to_write(write: Write) -> None:
    text = CHECK.format(name="steps_taken").replace("(training: Training)", "(model: Training)")
    with pytest.raises(PluginError) as error:
        gather([str(write("direct.py", text))], entry_points=False)
    line = one_line_of(error)
    assert "steps_taken: a check reads measurements, and 'model' is a part of the subject" in line
    assert "write a function of 'model' with `@measurement`" in line


@pytest.mark.parametrize(
    ("asked", "hint"), [("trainnig", "did you mean 'training'?"), ("spectrum", "there are ")], ids=["near", "far"]
)
def test_an_unknown_measurement_lists_those_that_exist(write: Write, asked: str, hint: str) -> None:
    text = CHECK.format(name="steps_taken").replace("(training: Training)", f"({asked}: Training)")
    with pytest.raises(PluginError) as error:
        gather([str(write("misspelt.py", text))], entry_points=False)
    line = one_line_of(error)
    assert f"steps_taken: there is no measurement {asked!r}" in line
    assert hint in line
    catalog = gather(entry_points=False)
    assert all(name in line.rpartition("there are ")[2].split(", ") for name in catalog.measurements)


def test_a_near_miss_is_told_for_an_unknown_check() -> None:
    catalog = gather(entry_points=False)
    assert catalog.explain_missing("los_drop", catalog.checks) == "; did you mean 'loss_drop'?"


# What does not load --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("def broken(:", "SyntaxError: invalid syntax"),
        ("raise RuntimeError('first line\\nsecond line')", "RuntimeError: first line second line"),
        ("import a_module_that_is_not_there", "No module named 'a_module_that_is_not_there'"),
        (CHECK.format(name="c").replace("retspec_checks()", "retspec_cheks()"), "unknown hook 'retspec_cheks'"),
        (CHECK.format(name="c").replace("at most", "under"), "'under' is not a valid Direction"),
    ],
    ids=["syntax", "raises", "import", "hook", "direction"],
)
def test_a_named_plugin_that_does_not_load_ends_everything_with_one_line(write: Write, text: str, reason: str) -> None:
    path = str(write("broken.py", text))
    with pytest.raises(PluginError) as error:
        gather([path], entry_points=False)
    line = one_line_of(error)
    assert line.startswith(f"plugin {path!r} does not load: ")
    assert reason in line


@pytest.mark.parametrize("name", ["nowhere.py", "nowhere.at.all"])
def test_a_named_plugin_that_is_not_there_is_told(name: str) -> None:
    with pytest.raises(PluginError, match=rf"plugin '{name}' does not load: .*nowhere"):
        gather([name], entry_points=False)


def test_a_broken_entry_point_is_recorded_and_the_others_load(install: Install) -> None:
    install("broken", "raise RuntimeError('no licence')")
    install("sound", CHECK.format(name="steps_taken"))
    catalog = gather()
    broken, sound = (plugin for plugin in catalog.plugins if plugin.name in {"broken", "sound"})
    assert broken == Plugin("broken", "broken_module", "1.2", error="RuntimeError: no licence (broken_module.py:1)")
    assert sound == Plugin("sound", "sound_module", "1.2", offers=("steps_taken",))
    assert catalog.broken == (broken,)
    hint = catalog.explain_missing("no_such_check", catalog.checks)
    assert hint == "; plugin 'broken' failed to load and may offer it: RuntimeError: no licence (broken_module.py:1)"


def test_an_entry_point_loads_whole_or_not_at_all(install: Install) -> None:
    """One misspelt hook, and the check beside it is not offered either."""
    text = CHECK.format(name="steps_taken") + "\n@hookimpl\ndef retspec_reportes(): return []\n"
    install("half", text)
    catalog = gather()
    assert "unknown hook 'retspec_reportes'" in catalog.broken[0].error
    assert "steps_taken" not in catalog.checks


# What may load -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("allowed", "loaded"),
    [(None, {"one", "two"}), ("one", {"one"}), ("one,two", {"one", "two"}), ("three", set()), ("", set())],
)
def test_the_allow_list_pins_which_entry_points_load(
    install: Install, monkeypatch: pytest.MonkeyPatch, allowed: str | None, loaded: set[str]
) -> None:
    install("one", CHECK.format(name="check_one"))
    install("two", CHECK.format(name="check_two"))
    monkeypatch.delenv("RETSPEC_PLUGINS", raising=False)
    if allowed is not None:
        monkeypatch.setenv("RETSPEC_PLUGINS", allowed)
    catalog = gather()
    assert {plugin.name for plugin in catalog.plugins} & {"one", "two"} == loaded
    assert {name.removeprefix("check_") for name in catalog.checks} & {"one", "two"} == loaded


def test_what_may_not_load_is_not_even_imported(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    folder: Path = install("spy", "import pathlib\npathlib.Path(__file__).with_name('ran').touch()\n")
    monkeypatch.setenv("RETSPEC_PLUGINS", "other")
    gather()
    gather(entry_points=False)
    assert not (folder / "ran").exists()
    monkeypatch.setenv("RETSPEC_PLUGINS", "spy")
    gather()
    assert (folder / "ran").exists()


def test_without_entry_points_named_plugins_still_load(install: Install, write: Write) -> None:
    install("one", CHECK.format(name="check_one"))
    catalog = gather([str(write("mine.py", CHECK.format(name="steps_taken")))], entry_points=False)
    assert "steps_taken" in catalog.checks
    assert "check_one" not in catalog.checks


def test_a_hook_that_only_another_retspec_knows_may_be_optional(write: Write) -> None:
    text = CHECK.format(name="steps_taken") + "\n@hookimpl(optionalhook=True)\ndef retspec_dreams(night): ...\n"
    assert "steps_taken" in gather([str(write("ahead.py", text))], entry_points=False).checks


def test_the_order_of_what_is_offered_means_nothing(write: Write) -> None:
    text = CHECK.format(name="steps_taken").replace("@hookimpl", "@hookimpl(tryfirst=True)")
    assert "steps_taken" in gather([str(write("early.py", text))], entry_points=False).checks
