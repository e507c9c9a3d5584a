"""Observers are called as pluggy calls them, and one that fails ends nothing."""

from __future__ import annotations

from itertools import permutations
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pluggy
import pytest

from retspec.plugin import hookimpl
from retspec.plugins.hooks import HookSpecs
from retspec.plugins.kinds import PROJECT
from retspec.plugins.notifying import notify

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FACTS = {"measurement": "training", "step": 1, "total": 20, "name": "a"}
KINDS = {
    "plain": {},
    "first": {"tryfirst": True},
    "last": {"trylast": True},
    "around": {"wrapper": True},
    "outermost": {"wrapper": True, "tryfirst": True},
    "old": {"hookwrapper": True},
}


def manager_of(*observers: object) -> pluggy.PluginManager:
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(HookSpecs)
    for number, observer in enumerate(observers):
        manager.register(observer, f"{number}.py")
    return manager


def observer(function: Callable[..., Any], **options: bool) -> object:
    return SimpleNamespace(retspec_progress=hookimpl(**options)(function))


def faults_of(*observers: object) -> list[str]:
    """Return the faults of notifying them."""
    faults: list[str] = []
    notify(manager_of(*observers).hook, "progress", FACTS, faults.append)
    return faults


def noting(seen: list[str], name: str, **options: bool) -> object:
    """Return an observer that notes when it is called; a wrapper does so before and after the others."""

    def note() -> None:
        seen.append(name)

    def around() -> Iterator[Any]:
        seen.append(f"{name} begins")
        answer = yield
        seen.append(f"{name} ends")
        return answer

    return observer(around if options.keys() & {"wrapper", "hookwrapper"} else note, **options)


# As pluggy does it ---------------------------------------------------------------------------------


@pytest.mark.parametrize("names", [*permutations(KINDS, 3), tuple(KINDS), tuple(reversed(KINDS))], ids="-".join)
def test_the_order_is_pluggy_s_own(names: tuple[str, ...]) -> None:
    ours: list[str] = []
    theirs: list[str] = []
    assert faults_of(*(noting(ours, name, **KINDS[name]) for name in names)) == []
    manager_of(*(noting(theirs, name, **KINDS[name]) for name in names)).hook.retspec_progress(**FACTS)
    assert ours == theirs


def test_the_one_that_is_registered_last_hears_first() -> None:
    seen: list[str] = []
    faults_of(noting(seen, "one"), noting(seen, "two"), noting(seen, "first", tryfirst=True), noting(seen, "three"))
    assert seen == ["first", "three", "two", "one"]


def test_each_gets_the_facts_that_its_parameters_name() -> None:
    seen: list[Any] = []
    faults = faults_of(
        observer(lambda: seen.append(())),
        observer(lambda total, step: seen.append((total, step))),
        observer(lambda name="default", colour="red": seen.append((name, colour))),
        observer(lambda step, /: seen.append(step)),
    )
    assert faults == []
    assert seen == [1, ("a", "red"), (20, 1), ()]


def test_a_wrapper_gets_the_answers_of_those_inside() -> None:
    seen: list[Any] = []

    def around() -> Iterator[None]:
        seen.append((yield))

    def old() -> Iterator[None]:
        answers: Any = yield
        seen.append(answers.get_result())

    silent, answering = observer(lambda: None), observer(lambda step: step)
    assert faults_of(silent, observer(around, wrapper=True), answering, observer(old, hookwrapper=True)) == []
    assert seen == [[1], [1]]


# What pluggy does not do ---------------------------------------------------------------------------


def fail() -> None:
    raise OSError("no network")


def leave() -> None:
    raise SystemExit(0)


@pytest.mark.parametrize(("failing", "what"), [(fail, "OSError: no network"), (leave, "SystemExit: 0")])
def test_one_that_fails_is_a_fault_and_all_others_hear(failing: Callable[[], None], what: str) -> None:
    seen: list[str] = []
    others = [noting(seen, name, **options) for name, options in KINDS.items()]
    (fault,) = faults_of(*others[:3], observer(failing), *others[3:])
    assert fault.startswith(f"plugin 3.py: its hook retspec_progress raised {what} (test_notifying.py:")
    assert {entry.partition(" ")[0] for entry in seen} == {*KINDS}
    assert sum(" ends" in entry for entry in seen) == 3


def fails_before() -> Iterator[None]:
    fail()
    yield


def fails_after() -> Iterator[None]:
    yield
    fail()


def never_yields() -> Iterator[None]:
    if FACTS is None:
        yield


def yields_twice() -> Iterator[None]:
    yield
    yield


@pytest.mark.parametrize(
    ("wrapper", "what"),
    [
        (fails_before, "raised OSError: no network (test_notifying.py:"),
        (fails_after, "raised OSError: no network (test_notifying.py:"),
        (never_yields, "is a wrapper that does not yield (test_notifying.py:"),
        (yields_twice, "is a wrapper that yields a second time (test_notifying.py:"),
    ],
)
@pytest.mark.parametrize("style", ["wrapper", "hookwrapper"])
def test_a_wrapper_that_fails_is_a_fault_and_all_others_hear(
    wrapper: Callable[[], Iterator[None]], what: str, style: str
) -> None:
    seen: list[str] = []
    outside, inside = noting(seen, "outside", wrapper=True, tryfirst=True), noting(seen, "inside")
    (fault,) = faults_of(outside, observer(wrapper, **{style: True}), inside)
    assert fault.startswith(f"plugin 1.py: its hook retspec_progress {what}")
    assert seen == ["outside begins", "inside", "outside ends"]


def test_an_interruption_ends_the_run_through_the_wrappers() -> None:
    seen: list[object] = []

    def interrupt() -> None:
        raise KeyboardInterrupt

    def around() -> Iterator[None]:
        try:
            yield
        except KeyboardInterrupt as error:
            seen.append(error)

    def old() -> Iterator[None]:
        answers: Any = yield
        seen.append(answers.exception)

    unheard = observer(lambda: seen.append("after the end"))
    with pytest.raises(KeyboardInterrupt) as raised:
        faults_of(unheard, observer(interrupt), observer(around, wrapper=True), observer(old, hookwrapper=True))
    assert seen == [raised.value, raised.value]
