"""`retspec.run` and `retspec.run_all`, as notebooks and test suites call them."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import contextmanager, nullcontext
from os import PathLike
from typing import TYPE_CHECKING, Any, TypedDict, Unpack, cast

from retspec import running
from retspec.errors import RetspecError, UsageError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager
    from datetime import date
    from pathlib import Path

    from torch import nn

    from retspec.records import Report
    from retspec.spec.load import SpecGiven


class Options(TypedDict, total=False):
    """The options of `run` and `run_all`, as those of the command line.

    cells: patterns of cell names; a cell is selected if it matches one of them.
    overrides: `path=value`, as in `model.lora.r=16`; the value is read as YAML.
    seeds: how many seeds, from `run.seed` on, what depends on the seed is measured under; `run.seed_count` by default.
    plugins: files or modules to load, in addition to those that the spec names and the installed ones (`entry_points`).
    select, skip: patterns of criterion ids. tags: a criterion is selected if it has one of them.
    fail_fast: end after the first criterion that is neither met nor accepted. strict: warnings make the exit code 1.
    today: the day (UTC) on which waivers are judged; the current day by default.
    jobs: how many cells are measured at a time, each in its own worker with its share of the cores.
    live_output: show what the code under test prints on stderr as it comes, and keep none of it.
    observers: objects with hook implementations (`retspec.plugin.HookSpecs`) that watch the run.

    Where a list of texts is taken, a single text is a list of one.
    """

    cells: Sequence[str]
    overrides: Sequence[str]
    seeds: int
    plugins: Sequence[str]
    entry_points: bool
    select: Sequence[str]
    tags: Sequence[str]
    skip: Sequence[str]
    fail_fast: bool
    strict: bool
    today: date | None
    jobs: int
    live_output: bool
    observers: Sequence[object]


_LISTS = ("cells", "overrides", "plugins", "select", "tags", "skip")


def run(  # noqa: PLR0913 - keywords, as the command line has options
    spec: SpecGiven | None = None,
    *,
    model: nn.Module | None = None,
    data: object = None,
    loss: Callable[..., Any] | None = None,
    checks: Mapping[str, Any] | None = None,
    reports: Mapping[str, str | Path] | None = None,
    progress: bool | None = None,
    **options: Unpack[Options],
) -> Report:
    """Run a spec and return its report, which has the `exit_code`; a notebook shows it as a page.

    spec: path of the YAML file, or a mapping of what it would hold; with a matrix, the report has `cells`.
    model: a module to measure in this process, which is given back bit by bit as it was. data: a DataLoader, a Dataset,
    a pair (inputs, targets), or {"train": loader, "val": loader}. loss: a function of logits and targets. Beside them,
    `spec` is a mapping of the other sections, or left out.
    checks: criteria, beside those of a mapping: {"loss_drop": 0.5}.
    reports: name of a report format to the path of its file, such as {"junit": "junit.xml"}.
    progress: whether to show it on stderr; by default, in a notebook and on a terminal.
    options: see `Options`.

    Raises SpecError, PluginError, UsageError or NothingSelected before anything runs, and ReportError for a file that
    cannot be written. Whatever happens while measuring is in the report.
    """
    with _OwnErrorsAlone():
        _require_known(options)
        options = _listed(options)
        given = with_checks(spec, checks)
        objects = {name: each for name, each in (("model", model), ("data", data), ("loss", loss)) if each is not None}
        with _shown(progress, options) as watched:
            if not objects:
                return running.run(given, reports=reports, **watched)
            return _live(given, objects, reports or {}, watched)


def run_all(
    specs: Sequence[SpecGiven],
    *,
    reports: Sequence[Mapping[str, str | Path]] | None = None,
    progress: bool | None = None,
    **options: Unpack[Options],
) -> list[Report]:
    """Run several specs, each a path or a mapping, and return their reports in the same order.

    Specs that can share a worker or a base model are measured one after another. reports: the files of each spec. For
    the other arguments, and for what is raised, see `run`.
    """
    with _OwnErrorsAlone():
        _require_known(options)
        options = _listed(options)
        if isinstance(specs, (str, PathLike, Mapping)):
            raise UsageError("run_all takes a list of specs; call `run` for a single one")
        given = [with_checks(spec, None) for spec in specs]
        files = [{}] * len(given) if reports is None else reports
        if len(files) != len(given):
            raise UsageError(f"reports= has {len(files)} entries, and there are {len(given)} specs; give one for each")
        if not given:
            return []
        with _shown(progress, options) as watched:
            return running.run_all(given, reports=files, **watched)


def with_checks(spec: object, checks: object) -> SpecGiven:
    """Return a spec with more criteria; raises UsageError for what is no spec, and for criteria beside a file."""
    if checks is not None and not isinstance(checks, Mapping):
        raise UsageError(f"checks= takes a mapping such as {{'loss_drop': 0.5}}; found {type(checks).__name__}")
    if isinstance(spec, (str, PathLike)):
        if checks:
            raise UsageError("checks= goes with a mapping; for the spec in a file, use overrides=['checks.NAME=LIMIT']")
        return spec
    if spec is None and checks is None:
        raise UsageError("run needs a spec: its path, a mapping, or checks={...} beside model= and data=")
    if spec is not None and not isinstance(spec, Mapping):
        raise UsageError(f"a spec is a path or a mapping; found {type(spec).__name__}")
    sections = dict(spec or {})
    own = sections.get("checks")
    if checks and (own is None or isinstance(own, Mapping)):
        sections["checks"] = {**(own or {}), **checks}
    return sections


def _live(
    given: SpecGiven, objects: Mapping[str, object], reports: Mapping[str, str | Path], options: Options
) -> Report:
    from retspec.live import run_live

    if not isinstance(given, Mapping):
        names = ", ".join(f"{name}=" for name in objects)
        raise UsageError(f"a spec in a file has its own subject; beside {names} give the sections as a mapping")
    return run_live(given, objects, reports, options)


def _require_known(options: Mapping[str, object]) -> None:
    known = {*Options.__annotations__, "spec", "model", "data", "loss", "checks", "reports", "progress"}
    for name in options:
        if name not in known:
            near = did_you_mean(name, known) or f"; there are {', '.join(sorted(known))}"
            raise UsageError(f"there is no argument {name!r}{near}")


def _listed(options: Options) -> Options:
    """Return the options with a single text as a list of one, since a text is a sequence of letters in Python."""
    single = {name: [value] for name, value in options.items() if name in _LISTS and isinstance(value, str)}
    return cast("Options", {**options, **single})


class _OwnErrorsAlone:
    """Raises retspec's own errors from the call itself: the frames below say nothing to its user.

    A generator would not do: contextlib puts the traceback back.
    """

    def __enter__(self) -> None:
        """Do nothing."""

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, RetspecError):
            raise error.with_traceback(None) from None


def _shown(progress: bool | None, options: Options) -> AbstractContextManager[Options]:  # noqa: FBT001 - a keyword
    in_notebook = type(sys.stderr).__module__.startswith("ipykernel")
    is_wanted = in_notebook or sys.stderr.isatty() if progress is None else progress
    return _watched(options, in_notebook=in_notebook) if is_wanted else nullcontext(options)


@contextmanager
def _watched(options: Options, *, in_notebook: bool) -> Iterator[Options]:
    from retspec.cli.progress import watching

    with watching(sys.stderr, in_notebook=in_notebook) as observer:
        yield {**options, "observers": (*options.get("observers", ()), observer)}
