"""What changed between two specs: what demands less than before is never overlooked."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retspec.judge import judge
from retspec.records import Criterion, Direction, Observed, Outcome, PredictionFiles, RunOptions, Spec, Verdict
from retspec.records.sections import Grouping
from retspec.review.diffing import Kind, changes
from retspec.spec.load import load
from retspec.spec.validate import validate
from tests.report.formats.sample import criterion
from tests.review.recorded import plan_of

if TYPE_CHECKING:
    from pathlib import Path

    from retspec.plugins.catalog import Catalog
    from retspec.review.diffing import Change

HEAD = "retspec: 1\nmodel: {timm: vit_tiny_patch16_224, lora: {target_modules: [qkv]}}\n"


def spec_of(folder: Path, catalog: Catalog, checks: str, head: str = "") -> Spec:
    path = folder / "spec.yaml"
    path.write_text(f"{HEAD}{head}checks:\n" + "".join(f"  {line}\n" for line in checks.splitlines()))
    return validate(load(path), catalog)


def told(found: list[Change]) -> list[tuple[str, str, str, bool]]:
    return [(change.name, change.kind.value, change.part, change.is_loosening) for change in found]


@pytest.mark.parametrize(
    ("old", "new", "kind", "part", "is_loosening"),
    [
        ("loss_drop: 0.5", "loss_drop: 0.4", "LOOSENED", "limit", True),
        ("loss_drop: 0.5", "loss_drop: 0.6", "TIGHTENED", "limit", False),
        ("merge_atol: 1e-5", "merge_atol: 1e-4", "LOOSENED", "limit", True),
        ("merge_atol: 1e-5", "merge_atol: 1e-6", "TIGHTENED", "limit", False),
        ("output_shape: [4, 5]", "output_shape: [4, 6]", "CHANGED", "limit", True),
        ("head_trainable: true", "head_trainable: false", "CHANGED", "limit", True),
        ("loss_drop: {limit: 0.5, warn: 0.6}", "loss_drop: 0.5", "LOOSENED", "warn", True),
        ("loss_drop: {limit: 0.5, warn: 0.7}", "loss_drop: {limit: 0.5, warn: 0.6}", "LOOSENED", "warn", True),
        ("loss_drop: 0.5", "loss_drop: {limit: 0.5, warn: 0.6}", "TIGHTENED", "warn", False),
        ("loss_drop: 0.5", "loss_drop: {limit: 0.5, severity: warn}", "SEVERITY CHANGED", "severity", True),
        ("loss_drop: {limit: 0.5, severity: warn}", "loss_drop: 0.5", "SEVERITY CHANGED", "severity", False),
        ("loss_drop: 0.5", "loss_drop: {limit: 0.5, skip: no time}", "SKIPPED", "skip", True),
        ("loss_drop: {limit: 0.5, skip: no time}", "loss_drop: 0.5", "RESUMED", "skip", False),
        ("loss_drop: 0.5", "loss_drop: {limit: 0.5, with: {steps: 90}}", "ARGUMENTS CHANGED", "with.steps", True),
        ("trainable_names: [lora_]", "trainable_names: ['.*']", "ARGUMENTS CHANGED", "with.patterns", True),
        ("loss_drop: {limit: 0.5, timeout: 1m}", "loss_drop: {limit: 0.5, timeout: 2m}", "LOOSENED", "timeout", True),
        ("loss_drop: {limit: 0.5, timeout: 1m}", "loss_drop: 0.5", "LOOSENED", "timeout", True),
        ("loss_drop: 0.5", "loss_drop: {limit: 0.5, timeout: 1m}", "TIGHTENED", "timeout", False),
        ("loss_drop: 0.5", "loss_drop: {limit: 0.5, aggregate: median}", "LOOSENED", "aggregate", True),
        ("loss_drop: {limit: 0.5, aggregate: median}", "loss_drop: 0.5", "TIGHTENED", "aggregate", False),
        ("loss_drop: 0.5", "loss_drop: {limit: 0.5, aggregate: all}", "CHANGED", "aggregate", False),
        (
            "loss_drop: {limit: 0.5, tags: [gpu, slow]}",
            "loss_drop: {limit: 0.5, tags: [slow]}",
            "CHANGED",
            "tags",
            True,
        ),
        (
            "loss_drop: 0.5",
            "loss_drop: {limit: 0.5, waive: {reason: later, owner: ada, until: 2030-01-01}}",
            "WAIVED",
            "waive",
            False,
        ),
        ("a: {check: loss_drop, limit: 1}", "a: {check: merge_atol, limit: 1}", "CHECK CHANGED", "check", True),
    ],
)
def test_one_change_is_told_with_its_direction(  # noqa: PLR0913 - a table
    tmp_path: Path, catalog: Catalog, old: str, new: str, kind: str, part: str, *, is_loosening: bool
) -> None:
    before, after = (spec_of(tmp_path, catalog, checks) for checks in (old, new))
    name = old.partition(":")[0]
    assert told(changes([before], [after])) == [(name, kind, part, is_loosening)]
    assert changes([before], [before]) == []


def test_what_came_and_went_is_told_and_only_going_is_a_loosening(tmp_path: Path, catalog: Catalog) -> None:
    before, after = (spec_of(tmp_path, catalog, checks) for checks in ("loss_drop: 0.5", "merge_atol: 1e-5"))
    assert told(changes([before], [after])) == [
        ("merge_atol", "ADDED", "limit", False),
        ("loss_drop", "REMOVED", "limit", True),
    ]


def test_several_changes_of_one_criterion_are_told_one_by_one(tmp_path: Path, catalog: Catalog) -> None:
    before = spec_of(tmp_path, catalog, "loss_drop: {limit: 0.5, warn: 0.6}")
    after = spec_of(tmp_path, catalog, "loss_drop: {limit: 0.55, severity: warn, with: {relative_to: previous}}")
    assert [change.kind for change in changes([before], [after])] == [
        Kind.TIGHTENED,
        Kind.LOOSENED,
        Kind.SEVERITY_CHANGED,
        Kind.ARGUMENTS_CHANGED,
    ]


def test_another_subject_is_told_by_its_path_and_is_no_loosening(tmp_path: Path, catalog: Catalog) -> None:
    before = spec_of(tmp_path, catalog, "loss_drop: 0.5")
    after = spec_of(tmp_path, catalog, "loss_drop: 0.5", "train: {steps: 3, lr: 0.1}\nrun: {dtype: float32}\n")
    assert told(changes([before], [after])) == [
        ("run", "CHANGED", "run.dtype", False),
        ("train", "CHANGED", "train.lr", False),
        ("train", "CHANGED", "train.steps", False),
    ]


@pytest.mark.parametrize(
    ("old", "new", "kind", "part", "is_loosening"),
    [
        ("", "run: {seed: 7}\n", "CHANGED", "run.seed", True),
        ("", "run: {device: cpu}\n", "CHANGED", "run.device", True),
        ("", "run: {threads: 2}\n", "CHANGED", "run.threads", True),
        ("run: {timeout: 10m}\n", "run: {timeout: 1h}\n", "LOOSENED", "run.timeout", True),
        ("run: {timeout: 10m}\n", "", "LOOSENED", "run.timeout", True),
        ("run: {timeout: 10m}\n", "run: {timeout: 1m}\n", "TIGHTENED", "run.timeout", False),
        ("run: {timeout: 90s}\n", "run: {timeout: 2m}\n", "LOOSENED", "run.timeout", True),
        ("run: {seed_count: 3}\n", "", "LOOSENED", "run.seed_count", True),
        ("run: {seed_count: 3}\n", "run: {seed_count: 5}\n", "TIGHTENED", "run.seed_count", False),
        ("run: {memory: 900MB}\n", "run: {memory: 1GB}\n", "LOOSENED", "run.memory", True),
        ("run: {measurement_timeout: 1m}\n", "", "LOOSENED", "run.measurement_timeout", True),
        ("run: {memory: 1GB}\n", "run: {memory: 2GB}\n", "LOOSENED", "run.memory", True),
        ("", "run: {memory: 2GB}\n", "TIGHTENED", "run.memory", False),
    ],
)
def test_what_decides_beside_the_criteria_is_told(  # noqa: PLR0913 - a table
    tmp_path: Path, catalog: Catalog, old: str, new: str, kind: str, part: str, *, is_loosening: bool
) -> None:
    before, after = (spec_of(tmp_path, catalog, "loss_drop: 0.5", head) for head in (old, new))
    (change,) = changes([before], [after])
    assert (change.kind.value, change.part, change.is_loosening) == (kind, part, is_loosening)


def test_a_median_over_more_seeds_may_be_better(tmp_path: Path, catalog: Catalog) -> None:
    checks = "loss_drop: {limit: 0.5, aggregate: median}"
    before, after = (spec_of(tmp_path, catalog, checks, f"run: {{seed_count: {seeds}}}\n") for seeds in (3, 5))
    assert told(changes([before], [after])) == [("run", "CHANGED", "run.seed_count", True)]


def test_a_file_that_need_no_longer_be_the_same_is_a_loosening(tmp_path: Path, catalog: Catalog) -> None:
    whole = spec_of(tmp_path, catalog, "loss_drop: 0.5")
    assert whole.model is not None
    pinned = replace(whole, model=replace(whole.model, checkpoint="w.pth", checkpoint_sha256="0" * 64))
    free = replace(whole, model=replace(whole.model, checkpoint="w.pth"))
    assert told(changes([pinned], [free])) == [("model", "CHANGED", "model.checkpoint_sha256", True)]


def test_what_belongs_together_otherwise_is_a_loosening(tmp_path: Path, catalog: Catalog) -> None:
    whole = spec_of(tmp_path, catalog, "loss_drop: 0.5")
    by_eye, by_patient = (replace(whole, data=replace(whole.data, group=Grouping(pattern=text))) for text in "ab")
    assert told(changes([by_patient], [by_eye])) == [("data", "CHANGED", "data.group.pattern", True)]


@pytest.mark.parametrize("part", ["group", "split", "label"])
def test_other_units_rows_or_truths_of_predictions_are_a_loosening(tmp_path: Path, catalog: Catalog, part: str) -> None:
    section = PredictionFiles(csv="a.csv", id="i", label="l", scores="p", group="patient", split="test")
    whole = replace(spec_of(tmp_path, catalog, "loss_drop: 0.5"), predictions=section)
    other = replace(whole, predictions=replace(section, **{part: "other"}))
    assert told(changes([whole], [other])) == [("predictions", "CHANGED", f"predictions.{part}", True)]


SEEN = {
    Criterion: {
        *(
            "check",
            "direction",
            "unit",
            "limit",
            "judge",
            "aggregate",
            "warn",
            "severity",
            "arguments",
            "tags",
            "timeout",
            "skip",
            "waive",
        ),
    },
    Spec: {"cell", "model", "data", "train", "training", "predictions", "run", "plugins", "criteria"},
    RunOptions: {
        "seed",
        "seed_count",
        "device",
        "dtype",
        "timeout",
        "measurement_timeout",
        "memory",
        "threads",
        "fault",
    },
}
JUDGES_NOTHING = {
    # A baseline is within the limit, and a config is under test.
    Criterion: {"id", "cell", "question", "description", "advice", "mark", "regression"},
    # The options of a run select cells; a diff sees all of them. A doubt is about a limit, which is compared.
    Spec: {
        "file",
        "extended",
        "name",
        "description",
        "config",
        "marks",
        "secrets",
        "sha256",
        "unselected_cells",
        "doubts",
    },
    RunOptions: {"mask", "gallery", "executor", "resources"},
}


@pytest.mark.parametrize("record", SEEN)
def test_every_field_is_compared_or_judges_nothing(record: type) -> None:
    """Who adds a field decides: can it turn red into green?"""
    assert {field.name for field in fields(record)} == SEEN[record] | JUDGES_NOTHING[record]


def test_how_a_spec_is_written_is_no_change(tmp_path: Path, catalog: Catalog) -> None:
    before = spec_of(tmp_path, catalog, "loss_drop: 0.5", "vars: {x: 0.5}\n")
    after = spec_of(tmp_path, catalog, "loss_drop: {limit: '${vars.x}', tags: [a]}", "vars: {x: 0.5}\nname: b\n")
    assert changes([before], [after]) == []


def test_a_planted_fault_is_a_change_of_the_subject(tmp_path: Path, catalog: Catalog) -> None:
    before = spec_of(tmp_path, catalog, "loss_drop: 0.5")
    after = replace(before, run=replace(before.run, fault="adapter_frozen"))
    assert [(change.part, change.is_loosening) for change in changes([before], [after])] == [("run.fault", True)]


def test_a_secret_limit_that_moved_is_told_without_its_value(
    tmp_path: Path, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    specs = []
    for value in ("0.87654", "0.12345"):
        monkeypatch.setenv("API_TOKEN", value)
        specs.append(spec_of(tmp_path, catalog, "loss_drop: '${env.API_TOKEN}'"))
    (change,) = changes(*([spec] for spec in specs))
    assert (change.kind, change.old, change.new) == (Kind.LOOSENED, "***", "***")


LIMITS = st.floats(-100, 100)


@given(
    direction=st.sampled_from([Direction.AT_MOST, Direction.AT_LEAST]),
    limits=st.tuples(LIMITS, LIMITS),
    value=LIMITS,
)
def test_what_is_no_loosening_turns_nothing_green(
    direction: Direction, limits: tuple[float, float], value: float
) -> None:
    """The judge is the oracle: a value that was missed under the old limit is met only after a loosening."""
    old, new = (criterion(limit=limit, direction=direction) for limit in limits)
    outcome = Outcome(id=old.id, observed=Observed(value))
    before, after = (judge(held, outcome).verdict for held in (old, new))
    if (before, after) == (Verdict.MISSED, Verdict.MET):
        assert any(change.is_loosening for change in changes([plan_of(old).spec], [plan_of(new).spec]))
    if (before, after) == (Verdict.MET, Verdict.MISSED):
        assert not any(change.is_loosening for change in changes([plan_of(old).spec], [plan_of(new).spec]))


def test_a_cell_that_is_gone_is_a_loosening_and_one_that_came_is_none() -> None:
    whole = plan_of(criterion("loss_drop")).spec
    cells = [replace(whole, cell=name) for name in ("r=4", "r=8")]
    assert changes(cells, cells) == []
    assert told(changes(cells, cells[:1])) == [("[r=8]", "REMOVED", "criteria", True)]
    assert told(changes(cells[:1], cells)) == [("[r=8]", "ADDED", "criteria", False)]
    assert told(changes([whole], cells[:1])) == [
        ("[r=4]", "ADDED", "criteria", False),
        ("(no matrix)", "REMOVED", "criteria", True),
    ]
