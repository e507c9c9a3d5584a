"""What the author of a plugin does wrong is told in one line, never as a traceback."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from retspec.errors import PluginError
from retspec.plugins.catalog import gather
from retspec.plugins.loading import NO_WRAPPER
from tests.plugins.samples import CHECK

if TYPE_CHECKING:
    from tests.plugins.samples import Install, Write

THERE_ARE = f"there are {', '.join(gather(entry_points=False).measurements)}"
MISTAKES = {
    "does-not-parse": ("x = 1\ndef broken(:\n", "SyntaxError: invalid syntax (FILE:2)"),
    "raises": ("import json\n\njson.loads('{')\n", "(FILE:3)"),
    "cannot-be-shown": (
        "class Odd(Exception):\n    def __str__(self): raise OSError\nraise Odd\n",
        "Odd: its message cannot be shown: OSError (FILE:3)",
    ),
    "wraps-what-all-offer": (
        CHECK.format(name="c").replace("@hookimpl", "@hookimpl(wrapper=True)").replace("return [c]", "return (yield)"),
        f"FILE:10: retspec_checks is a wrapper; {NO_WRAPPER}",
    ),
    "wraps-in-the-old-way": (
        CHECK.format(name="c").replace("@hookimpl", "@hookimpl(hookwrapper=True)").replace("return [c]", "yield"),
        f"FILE:10: retspec_checks is a wrapper; {NO_WRAPPER}",
    ),
    "forgot-to-return": (
        CHECK.format(name="c").replace("return [c]", "[c]"),
        "FILE:10: retspec_checks returned NoneType; it must return a list of Check",
    ),
    "forgot-the-list": (
        CHECK.format(name="c").replace("return [c]", "return c"),
        "retspec_checks returned Check; it must return a list of Check",
    ),
    "forgot-the-decorator": (
        CHECK.format(name="c").replace("@check(", "_ = dict("),
        "retspec_checks returned c, a function; it must return a list of Check",
    ),
    "wrong-hook": (
        CHECK.format(name="c").replace("def retspec_checks", "def retspec_measurements"),
        "FILE:10: retspec_measurements returned c, a Check; it must return a list of Measurement",
    ),
    "asks-for-what-nobody-measures": (
        CHECK.format(name="c").replace("def c(", "def c(trainings, "),
        THERE_ARE,
    ),
    "asks-for-the-model-itself": (
        CHECK.format(name="c").replace("training: Training", "model"),
        "write a function of 'model' with `@measurement`, offer it by the hook retspec_measurements, and take its name",
    ),
    "takes-what-no-schema-describes": (
        CHECK.format(name="c").replace("training: Training)", "training: Training, *, size: complex)"),
        "FILE:5: argument 'size' of c: no schema describes the type <class 'complex'>",
    ),
    "takes-what-has-no-such-type": (
        "from __future__ import annotations\n"
        + CHECK.format(name="c").replace("training: Training)", "training: Training, *, size: Lenght)"),
        "NameError: name 'Lenght' is not defined (FILE:6)",
    ),
    "exits": ("raise SystemExit('bye')", "SystemExit: bye (FILE:1)"),
}

CIRCLE = """
from retspec.plugin import Cost, Measurement, hookimpl, measurement

@measurement(cost=Cost.STATIC)
def chicken(egg): return 1

@measurement(cost=Cost.STATIC)
def egg(chicken): return 1

@hookimpl
def retspec_measurements() -> list[Measurement]:
    return [chicken, egg]
"""


@pytest.mark.parametrize(("text", "reason"), MISTAKES.values(), ids=MISTAKES)
def test_a_named_plugin_is_refused_with_one_line(write: Write, text: str, reason: str) -> None:
    path = str(write("mistaken.py", text))
    with pytest.raises(PluginError) as error:
        gather([path], entry_points=False)
    assert str(error.value).startswith(f"plugin {path!r} does not load: ")
    assert str(error.value).endswith(reason.replace("FILE", "mistaken.py"))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(("text", "reason"), MISTAKES.values(), ids=MISTAKES)
def test_an_entry_point_is_recorded_with_the_same_line(install: Install, text: str, reason: str) -> None:
    install("mistaken", text)
    (broken,) = gather().broken
    assert broken.error.endswith(reason.replace("FILE", "mistaken_module.py"))
    assert broken.offers == ()


def test_measurements_that_read_each_other_are_named(write: Write) -> None:
    with pytest.raises(PluginError, match=r"in a circle: (chicken → egg → chicken|egg → chicken → egg)$"):
        gather([str(write("circle.py", CIRCLE))], entry_points=False)


def test_one_file_spelt_in_two_ways_is_one_plugin(write: Write) -> None:
    """A spec names it, and the command line does too."""
    path = write("mine.py", CHECK.format(name="steps_taken"))
    names = [str(path), os.path.relpath(path), f"{path.parent}/../{path.parent.name}/mine.py"]
    catalog = gather(names, entry_points=False)
    assert "steps_taken" in catalog.checks
    assert len(catalog.plugins) == 1


def test_an_allow_list_may_be_spaced(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    install("one", CHECK.format(name="check_one"))
    install("two", CHECK.format(name="check_two"))
    monkeypatch.setenv("RETSPEC_PLUGINS", "one, two")
    assert {plugin.name for plugin in gather().plugins} == {"one", "two"}
