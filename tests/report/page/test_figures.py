"""Every fact that is drawn has its figures; each says in words what it shows."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from retspec import facts
from retspec.facts.reruns import Trace, TwoRuns
from retspec.records import Measured, plain
from retspec.report.page.figures import _DRAWN, figures_of
from tests.report.formats.sample import sample

ESTIMATE = facts.Estimate(4, "none", 3_000_000, {"activations": 1_000_000, "parameters": 2_000_000})
STEP = facts.WatchedStep(0, 1, True, 0, (0.5,), (1.0,), 3.0, 1.0, 0.2, 0.05)  # noqa: FBT003 - a field of the record
LOOP = facts.Loop(
    command="train.py",
    requested=2,
    ending="",
    model="ViT",
    optimizers=(
        facts.WatchedOptimizer(
            "AdamW", 9, (facts.WatchedGroup(("a",), 0.0, (0.1, 0.05)), facts.WatchedGroup(("b",), 0.0, ()))
        ),
    ),
    steps=(STEP, msgspec.structs.replace(STEP, losses=(0.25,), norm=None)),
    schedulers=(),
    unowned=(),
    foreign=(),
    vectors=(),
    scales=(),
    forwards=2,
    eval_leaves=(),
    evaluations=0,
    train_mode_evaluations=0,
    criterion=None,
    autocast_dtype="float32",
    batch=None,
    batches=2,
    distinct=2,
    repeated=0,
    from_loader=True,
)
LOADING = facts.Loading(
    file="w.pth",
    format="torch",
    wrapper="",
    prefixes=(),
    missing=(),
    unexpected=(),
    mismatches=(),
    unusable=(),
    resampled=(),
    loaded_elements=75,
    model_elements=100,
    modules=(facts.ModuleCoverage("blocks.0", 75, 75), facts.ModuleCoverage("head", 25, 0)),
)
TRACE = Trace("train.py", "", (1.6, 1.1), ((0.1,), (0.1,)), ("a", "b"), {}, {}, 1.0)
AGREEMENT = facts.GradientAgreement(0.0, (facts.TensorDeviation("base_model.model.head.weight", 0.01),), 1.0)
TRAINING = sample().measurements[0].facts
ROC = facts.Roc({"2, 3": tuple(min(1.0, 0.5 + index / 20) for index in range(101)), "old.csv": (0.0, *[0.4] * 99, 1.0)})
GROUPS = facts.Forest(
    "sensitivity by sex", (facts.ForestRow("f", 0.9, 0.8, 0.95, 40), facts.ForestRow("m", 0.7, 0.5, 0.8, 30))
)


def statistic(*plots: facts.Plot) -> facts.Statistic:
    return facts.Statistic(0.5, plots=plots)


MADE: dict[str, tuple[Any, dict[str, str]]] = {
    "auroc": (statistic(ROC), {"roc": "at a specificity of 0.9: 2, 3 1, old.csv 0.4"}),
    "calibration": (
        statistic(facts.Reliability((4, 0), (0.2, None), (0.25, None), (0.1, None), (0.3, None))),
        {"reliability": "in 2 bins of the probability"},
    ),
    "class_recalls": (statistic(GROUPS), {"forest-1": "lowest for m, 0.7 (0.5 to 0.8)"}),
    "dice_scores": (statistic(GROUPS), {"forest-1": "Sensitivity by sex, with intervals"}),
    "label_aurocs": (statistic(GROUPS), {"forest-1": "lowest for m"}),
    "paired_difference": (statistic(ROC), {"roc": "Sensitivity over 1 - specificity"}),
    "subgroup_gaps": (statistic(GROUPS, GROUPS), {"forest-1": "lowest for m", "forest-2": "lowest for m"}),
    "weighted_kappa": (
        statistic(facts.Confusion(("mild", "severe"), ((3, 1), (0, 2)))),
        {"confusion": "5 of 6 are right"},
    ),
    "accumulation": (AGREEMENT, {"agreement": "worst is head.weight"}),
    "blank_training": (
        TRAINING,
        {"loss": "from 1.6 to 1.1", "gradient-flow": "2 layers", "gradients": "2 steps", "step-time": "187.5 ms"},
    ),
    "checkpoint": (facts.Checkpoint(loading=LOADING, nonfinite=(), compared=0, altered=()), {"coverage": "75.00%"}),
    "compilation": (facts.Compilation("inductor", 0.0, 1.0, (0.2, 0.4), (0.1, 0.1)), {"compilation": "eager 300 ms"}),
    "data_wait": (facts.DataWait(2, (0.1, 0.3), (0.5, 0.5)), {"waiting": "waiting for data 200 ms"}),
    "loader": (
        facts.Loader(8, (facts.Throughput(0, (8, 8), (1.0, 2.0)), facts.Throughput(2, (8,), (0.5,))), ""),
        {"workers": "0 workers 6/s, 2 workers 16/s"},
    ),
    "loop": (
        LOOP,
        {
            "loop-loss": "from 0.5 to 0.25",
            "learning-rate": "AdamW at each step: group 0 from 0.1 to 0.05",
            "gradient-norm": "as the optimizer applied it",
            "loop-time": "25%",
        },
    ),
    "memory": (facts.Memory("live bytes", 5_000_000, (1_000_000, 2_000_000), 9), {"memory": "from 1 to 2 MB"}),
    "memory_estimate": (
        facts.MemoryEstimate("cpu", ESTIMATE, ESTIMATE, None, (1_000_000, 3_000_000, 2_000_000)),
        {
            "memory-parts": "4 images reaches 3 MB",
            "memory-course": "from 1 MB; it is highest, 3 MB, after 50% of",
            "memory-ways": "full fine-tuning 3 MB",
        },
    ),
    "memory_fit": (
        facts.MemoryFit("cuda", 8_000_000_000, "float32", (), (facts.Fitting("none", 64, 32, ESTIMATE, ESTIMATE),)),
        {"batch-sizes": "8 GB, by estimate: 64 images in float32"},
    ),
    "merging": (facts.Merging(0.1, 1.0, 1.0, 0, (facts.LayerDeviation("qkv", 0.5),)), {"merging": "worst is qkv"}),
    "overfitting": (
        facts.Overfitting(10, 100, 40, 1.0, 0.01, losses=((0, 1.6), (20, 0.4), (40, 0.01))),
        {"overfitting": "10 samples goes from 1.6 to 0.01 over 40 steps: learnt after 40 steps."},
    ),
    "parameters": (
        facts.Parameters(
            (
                facts.Parameter("a", 1, facts.Group.HEAD, trainable=True),
                facts.Parameter("b", 3, facts.Group.OTHER, trainable=False),
            )
        ),
        {"parameters": "1 of 4 parameters train (25.00%)"},
    ),
    "precision": (AGREEMENT, {"agreement": "worst is head.weight"}),
    "profile": (facts.Profile((facts.Operator("aten::mm", 3.0, 7),)), {"operators": "aten::mm: 3 ms, 7 calls"}),
    "ranks": (facts.Ranks((facts.RankCount(4, 100), facts.RankCount(8, 200))), {"ranks": "at each rank"}),
    "resumed_run": (TwoRuns(TRACE, TRACE), {"two-runs": "they are the same, bit by bit"}),
    "second_run": (
        TwoRuns(TRACE, msgspec.structs.replace(TRACE, losses=(1.6, 1.2, 1.1))),
        {"two-runs": "over 3 steps: they first differ at step 2"},
    ),
    "splits": (
        facts.Splits(
            counts={"train": {"a": 3, "b": 1}, "val": {"a": 0}},
            classes={},
            listed={},
            files=0,
            absent=0,
            missing=(),
            near={},
            shared_groups=(),
            has_groups=False,
            eyes=None,
            notes=(),
        ),
        {"classes-0": "4 images of 2 classes in train: most of a (3), fewest of b (1)"},
    ),
    "stages": (
        facts.Stages(facts.Stage("decoding", (0.1,)), (facts.Stage("Resize", (0.02,)),), ()),
        {"transforms": "decoding 100 ms, Resize 20 ms"},
    ),
    "step_flops": (
        facts.StepFlops(4, 1_000_000_000, 2_000_000_000, {"mm": 3_000_000_000}),
        {"operations": "takes 3 GFLOP"},
    ),
    "training": (
        TRAINING,
        {"loss": "from 1.6 to 1.1", "gradient-flow": "2 layers", "gradients": "2 steps", "step-time": "187.5 ms"},
    ),
}


def test_every_fact_that_is_drawn_is_here() -> None:
    assert MADE.keys() == _DRAWN.keys()


@pytest.mark.parametrize("name", MADE)
def test_facts_become_figures_that_say_what_they_show(name: str) -> None:
    held, expected = MADE[name]
    found = {each.name: each for each in figures_of(Measured(key=f"{name}(x=1)", facts=plain(held)))}
    assert found.keys() == expected.keys()
    for figure, words in expected.items():
        assert words in found[figure].caption
        assert found[figure].drawing.startswith('<svg class="plot" role="img" aria-label=')
        assert "nan" not in found[figure].drawing


def test_gradient_flow_is_by_layer_in_the_order_of_the_network() -> None:
    names = ["blocks.0.attn.qkv.lora_A.default.weight", "blocks.0.attn.qkv.lora_B.default.weight", "head.weight"]
    norms = [(3.0, 0.3), (4.0, 0.4), (0.0, 0.0)]
    gradients = [
        {"name": f"base_model.model.{name}", "group": "other", "norms": each, "nonfinite_steps": 0, "moved": True}
        for name, each in zip(names, norms, strict=True)
    ]
    found = {
        each.name: each for each in figures_of(Measured(key="training", facts=TRAINING | {"gradients": gradients}))
    }
    flow = found["gradient-flow"]
    assert "of 2 layers in the order of the network; the median over the steps is from 2.75 to 2.75" in flow.caption
    assert "Without a gradient: head.weight." in flow.caption
    assert flow.table
    assert [row[0] for row in flow.table.rows] == [
        "blocks.0.attn.qkv.lora_A.weight",
        "blocks.0.attn.qkv.lora_B.weight",
        "head.weight",
    ]
    assert found["gradients"].drawing.index("blocks.0.attn.qkv") < found["gradients"].drawing.index(">head<")
    assert 'class="hole"' in found["gradients"].drawing


def test_a_training_that_took_no_step_has_no_figure() -> None:
    nothing = {"losses": [], "gradients": [], "seconds": []}
    assert figures_of(Measured(key="training", facts=TRAINING | nothing)) == []
    stopped = msgspec.structs.replace(LOOP, optimizers=(), steps=())
    assert figures_of(Measured(key="loop", facts=plain(stopped))) == []


def test_a_long_table_has_its_beginning_and_its_end() -> None:
    losses = [float(step) for step in range(100)]
    (figure, *_) = figures_of(Measured(key="training", facts=TRAINING | {"losses": losses}))
    assert figure.table
    assert (len(figure.table.rows), figure.table.left_out) == (40, 60)
    assert (figure.table.rows[0][0], figure.table.rows[-1][0]) == ("1", "100")
