"""Notify observers in pluggy's order; an observer that fails does not stop the others.

pluggy ends a call at the first exception. Here an exception becomes a fault of the run, named by plugin and hook, and
all other observers are still called: an observer that cannot reach its server must not lose a verdict, and its failure
must not be silent. Order, wrappers and arguments are those of https://pluggy.readthedocs.io/en/stable/#call-time-order.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Any

import pluggy

from retspec.characters import one_line
from retspec.errors import describe
from retspec.plugins.kinds import PROJECT
from retspec.plugins.signatures import place_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Fault = Callable[[str], object]
    """Keeps what went wrong with the run."""


def notify(hooks: pluggy.HookRelay, event: str, facts: Mapping[str, Any], fault: Fault) -> None:
    """Notify every observer of an event: last registered first, but for `tryfirst` and `trylast`, inside wrappers.

    Each observer gets the facts that its parameters name. Its exceptions, SystemExit included, become faults;
    KeyboardInterrupt ends the run, through the wrappers.
    """
    name = f"{PROJECT}_{event}"
    caller: pluggy.HookCaller = getattr(hooks, name)
    answers: list[Any] = []
    with ExitStack() as around:
        # pluggy keeps them in the reverse order of their calls, the wrappers last.
        for implementation in reversed(caller.get_hookimpls()):
            with _guarded(implementation, name, fault):
                arguments = [facts[argument] for argument in implementation.argnames]
                options = {option: facts[option] for option in implementation.kwargnames if option in facts}
                made: Any = implementation.function(*arguments, **options)
                if implementation.wrapper or implementation.hookwrapper:
                    around.enter_context(_wrapped(implementation, made, answers, name, fault))
                elif made is not None:
                    answers.append(made)


class _MiswrittenError(Exception):
    """What is wrong with a wrapper, as the end of a sentence."""


@contextmanager
def _guarded(implementation: pluggy.HookImpl, hook: str, fault: Fault) -> Iterator[None]:
    """Make a fault of what an observer raises."""
    try:
        yield
    except _MiswrittenError as error:
        fault(one_line(f"plugin {implementation.plugin_name}: its hook {hook} {error}"))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a third-party hook may raise anything
        fault(one_line(f"plugin {implementation.plugin_name}: its hook {hook} raised {describe(error)}"))


@contextmanager
def _wrapped(
    implementation: pluggy.HookImpl, wrapper: Any, answers: list[Any], hook: str, fault: Fault
) -> Iterator[None]:
    """Run a wrapper up to its `yield`, which gets the answers of the others later, and the rest of it at the end.

    What the others raise is a fault already, so that a wrapper sees an exception only when the run itself ends.
    """
    place = place_of(implementation.function)
    try:
        next(wrapper)
    except StopIteration:
        raise _MiswrittenError(f"is a wrapper that does not yield ({place})") from None
    try:
        yield
    except BaseException as error:
        with _guarded(implementation, hook, fault), suppress(StopIteration):
            _ = wrapper.send(_result(None, error)) if implementation.hookwrapper else wrapper.throw(error)
        raise
    with _guarded(implementation, hook, fault), suppress(StopIteration):
        wrapper.send(_result(answers) if implementation.hookwrapper else answers)
        wrapper.close()
        raise _MiswrittenError(f"is a wrapper that yields a second time ({place})")


def _result(answers: list[Any] | None, error: BaseException | None = None) -> Any:
    """Return what a wrapper of the old style gets."""
    return pluggy.Result(answers, error)
