"""Document → findings → records → Spec."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache, partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from retspec.characters import quoted
from retspec.errors import Problem, SpecError
from retspec.records import Criterion, Data, Model, PredictionFiles, Recipe, RunOptions, Spec, is_reference
from retspec.spec.validate import convert, phrases
from retspec.spec.validate.baselines import Baselines
from retspec.spec.validate.context import Context, Finding
from retspec.spec.validate.explain import explain
from retspec.spec.validate.layers import flattened
from retspec.spec.validate.predictions import (
    broken_maker,
    broken_predictions,
    broken_thresholds,
    useless_beside_loaders,
)
from retspec.spec.validate.rules import broken_adapter, broken_bounds, broken_recipe, broken_rules, broken_task, doubts
from retspec.spec.validate.schema import compose_schema
from retspec.spec.validate.sound import Sound
from retspec.text.masking import Mask

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator, Mapping

    from retspec.plugins.catalog import Catalog
    from retspec.spec.document import Document, Place
    from retspec.spec.validate.fragments import Fragment


_MOST = 100
"""Problems that are reported: more are not read."""
_LONGEST = 2_000
"""Characters of a message: enough to list all checks."""


def validate(document: Document, catalog: Catalog) -> Spec:
    """Return the spec that a document holds under a catalog.

    Raises `SpecError` with everything that is wrong, in the order of the file, what `load` found included.
    """
    (spec,) = validate_cells([document], catalog)
    return spec


def validate_cells(documents: Iterable[Document], catalog: Catalog) -> list[Spec]:
    """Return the specs that the cells of a matrix hold.

    Raises `SpecError` with everything that is wrong in any of them; what several share is reported once.
    """
    sound = Sound(_schema(catalog))
    specs: list[Spec] = []
    problems: list[Problem] = []
    for document in documents:
        try:
            specs.append(_Validation(flattened(document, catalog), catalog, sound).spec())
        except SpecError as error:
            problems += error.problems
    if problems:
        raise SpecError(problems)
    return specs


@lru_cache(maxsize=1)
def _schema(catalog: Catalog) -> Fragment:
    """Return the schema of a catalog; composing it takes longer than validating many specs."""
    return compose_schema(catalog)


class _Validation:
    """One document on its way to a spec; `findings` grows on the way."""

    def __init__(self, document: Document, catalog: Catalog, sound: Sound) -> None:
        self.document = document
        self.catalog = catalog
        self.mask = Mask(document.secrets)
        self.findings = list(islice(_schema_findings(document, catalog, sound, self.mask), _MOST + 1))
        self.findings += _broken_plugins(document, catalog)
        if len(self.findings) > _MOST:  # criteria not looked at may be faulty
            self.require_none()
        wrong = {*document.faulty, *(finding.place for finding in self.findings)}
        self.broken = {place[:length] for place in wrong for length in range(len(place) + 1)}

    def spec(self) -> Spec:
        data, catalog = self.document.data, self.catalog
        written = data.get("train")
        section = written if isinstance(written, dict) else {}
        build = partial(convert.training, sources=catalog.training_keys)
        train, training = self.record("train", build) or (Recipe(), None)
        self.findings += broken_recipe(section, train)
        if training is None:
            self.findings += broken_task(section, train)
        run: RunOptions = self.record("run", partial(convert.run_options, executors=catalog.executors)) or RunOptions()
        model: Model | None = self.record("model", partial(convert.model, sources=catalog.model_sources))
        if model is not None:
            self.findings += broken_adapter(model)
        predictions: PredictionFiles | None = self.record("predictions", convert.predictions)
        if predictions is not None:
            self.findings += broken_predictions(predictions)
        named: Data | None = self.record("data", partial(convert.data, sources=catalog.data_sources))
        batch = named or Data()
        is_reported = named is None and "data" in data  # the section is reported already
        source = catalog.data_sources[batch.source]
        has_files = is_reported or source.gives_files
        has_feed = has_files or source.may_give_loader
        launched_by = next((each.name for each in catalog.launchers if training and each.name == training.source), "")
        launches = bool(launched_by)
        given = {"files": has_files, "feed": has_feed or launches, "watched": launches, "model": launches}
        given["own_optimizers"] = launches or is_reference(train.optimizer)
        given["loaders"] = is_reported or source.gives_loaders or launches
        given["ranks"] = training is not None and training.arguments.get("ranks") is not None
        given["epochs"] = given["loaders"] or given["ranks"]
        sections = {*data, *(name for name, is_given in given.items() if is_given)}
        if source.gives_loaders:
            self.findings += useless_beside_loaders(batch, predictions)
        if predictions is not None:
            has_model = "model" in data and not launches
            self.findings += broken_maker(predictions, has_model=has_model, has_files=has_files or source.gives_loaders)
        if launches and "model" in data:
            message = f"the model is the one that `train.{launched_by}` trains; remove the section `model`"
            self.findings.append(Finding(("model",), message, on_key=True))
        criteria = tuple(self.criteria(convert.Defaults(train, run.dtype or "float32", self.document.cell), sections))
        if predictions is not None:
            self.findings += broken_thresholds(criteria, predictions)
        self.require_none()
        return self.with_baselines(
            Spec(
                file=self.document.file,
                cell=self.document.cell,
                unselected_cells=self.document.unselected_cells,
                extended=self.document.extended,
                name=data.get("name", Path(self.document.file).stem),
                description=data.get("description", ""),
                model=model,
                data=batch,
                train=train,
                training=training,
                predictions=predictions,
                run=run,
                config=self.document.config,
                plugins=self.document.plugins,
                criteria=criteria,
                doubts=tuple(map(self.problem, self.doubts(criteria))),
                marks={phrases.dotted(place): mark for place, mark in self.document.marks.items() if place},
                secrets=tuple(sorted(self.document.secrets)),
                sha256=self.document.sha256,
            )
        )

    def with_baselines(self, spec: Spec) -> Spec:
        """Set the limits of criteria that are compared with a baseline: the subject of the spec is known by now."""
        baselines = Baselines(spec, self.document.path.parent)
        held = [baselines.held(criterion) for criterion in spec.criteria]
        self.findings += [found for found in held if isinstance(found, Finding)]
        criteria = tuple(criterion for criterion in held if isinstance(criterion, Criterion))
        for criterion in criteria:
            if criterion.regression is not None:
                self.findings += broken_bounds(criterion)
        self.require_none()
        return replace(spec, criteria=criteria)

    def criteria(self, defaults: convert.Defaults, sections: Container[str]) -> Iterator[Criterion]:
        """Yield the criteria that are whole, and note what is wrong with them beyond the schema."""
        entries = self.document.data.get("checks")
        for name, entry in entries.items() if isinstance(entries, dict) else ():
            place = ("checks", name)
            mark = self.document.key_mark(place)
            build = partial(convert.criterion, name, catalog=self.catalog, defaults=defaults, mark=mark)
            if (criterion := self.built(place, build, entry)) is not None:
                self.findings += broken_rules(criterion, self.catalog, sections)
                yield criterion

    def doubts(self, criteria: Iterable[Criterion]) -> Iterator[Finding]:
        """Yield what is no error, and likely a mistake."""
        for criterion in criteria:
            yield from doubts(criterion, self.catalog.checks[criterion.check])

    def record(self, section: str, build: Callable[[Mapping[str, Any]], Any]) -> Any:
        data = self.document.data
        return self.built((section,), build, data[section]) if section in data else None

    def built(self, place: Place, build: Callable[[Any], Any], data: Any) -> Any:
        """Build a record; None if something in its data is wrong."""
        if not self.is_whole(place):
            return None
        try:
            return build(data)
        except msgspec.ValidationError as error:  # a constraint of a plugin's type that no schema can carry
            self.findings.append(Finding(place, f"{phrases.subject(place)}: {error}"))
            return None

    def is_whole(self, place: Place) -> bool:
        return place not in self.broken and not self.document.is_faulty(place)

    def require_none(self) -> None:
        """Raise everything that was found, if anything was."""
        problems = sorted({*self.document.problems, *map(self.problem, self.findings)})
        if len(problems) > _MOST:
            more = Problem(problems[_MOST].mark, f"more is wrong; these are {_MOST} of the problems")
            problems = [*problems[:_MOST], more]
        if problems:
            raise SpecError(problems)

    def problem(self, finding: Finding) -> Problem:
        mark = self.document.key_mark if finding.on_key else self.document.mark
        found = self.mask.problem(Problem(mark(finding.place), finding.message))
        return found if len(found.message) <= _LONGEST else replace(found, message=f"{found.message[:_LONGEST]}...")


def _schema_findings(document: Document, catalog: Catalog, sound: Sound, mask: Mask) -> Iterator[Finding]:
    """Yield what the schema finds wrong, except where `load` has already reported a problem.

    Secrets are masked before a long one is quoted in part.
    """
    context = Context(catalog, document.data)
    for fault in sound.faults(document.data):
        masked = replace(fault, message=mask.text(fault.message), value=_shown(fault.value, mask))
        for finding in explain(masked, context):
            if not document.is_faulty(finding.place):
                yield finding


def _broken_plugins(document: Document, catalog: Catalog) -> Iterator[Finding]:
    reasons = {plugin.name: plugin.error for plugin in catalog.broken}
    for index, name in document.plugin_names.items():
        if name in reasons:
            written = document.data["plugins"][index]
            yield Finding(("plugins", index), f"plugin {quoted(written)} does not load: {reasons[name]}")


def _shown(value: Any, mask: Mask) -> Any:
    return mask.given(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else value
