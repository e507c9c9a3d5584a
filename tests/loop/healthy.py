"""The healthy scripts beside this file: how each is started, and what is peculiar to it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

SPEC = Path(__file__).with_name("healthy.yaml")
NO_SCHEDULER = {"scheduler_steps": "no scheduler"}
NO_EVALUATION = {"train_mode_validations": "no forward pass without gradients"}


@dataclass(frozen=True)
class Healthy:
    """A script, its arguments, and where it differs from the common spec."""

    script: str
    args: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    undecided: dict[str, str] = field(default_factory=dict)
    """Criteria without a verdict, with a part of the reason."""
    needs: str = ""
    """A library that is no dependency of the tests."""

    @property
    def overrides(self) -> list[str]:
        """Settings of the spec."""
        start = [f"train.script=scripts/{self.script}.py", f"train.args=[{', '.join(map(repr, self.args))}]"]
        return [*start, *self.settings]


COSINE = ("checks.accumulation=2", "checks.lr_rtol.with.rates=[1e-3, 0.0009997532801828658, 0.0009990133642141358]")
DECAYED = "checks.decayed_vectors=20"
"""As with many a recipe, all vectors are decayed."""

NO_AVERAGE = {"still_averages": "no average of its weights that is known"}
UNCLIPPED = "checks.max_clipped_norm=100"

_ALL = (
    Healthy("plain", settings=COSINE),
    Healthy("plain", ("--scale",), COSINE),
    Healthy("plain", ("--amp",), (*COSINE, "checks.autocast_dtype=bfloat16")),
    Healthy("plain", ("--amp", "--scale"), (*COSINE, "checks.autocast_dtype=bfloat16")),
    Healthy(
        "gan",
        settings=(UNCLIPPED,),
        undecided={**NO_SCHEDULER, **NO_EVALUATION, "criterion_input": "no cross-entropy was called"},
    ),
    Healthy(
        "lbfgs",
        settings=("train.steps=4", "checks.lr_rtol.with.rates=[0.1]", UNCLIPPED),
        undecided={**NO_SCHEDULER, **NO_EVALUATION, "repeated_batches": "all steps had the same batch"},
    ),
    Healthy(
        "sam",
        settings=("checks.lr_rtol.with.rates=[0.05]", UNCLIPPED),
        undecided={**NO_SCHEDULER, **NO_EVALUATION},
    ),
    Healthy(
        "frozen_norm",
        settings=(
            "checks.lr_rtol.with.rates=[0.1]",
            'checks.eval_mode_leaves={limit: 0, with: {allow: ["stem[.]1"]}}',
        ),
        undecided={**NO_SCHEDULER, **NO_EVALUATION},
    ),
    Healthy(
        "hf_trainer",
        settings=("checks.accumulation=2", "checks.lr_rtol.with.rates=[0.0, 1e-5, 2e-5]"),
        undecided=NO_EVALUATION,
    ),
    Healthy(
        "accelerated",
        settings=(
            "checks.accumulation=2",
            "checks.autocast_dtype=bfloat16",
            "checks.lr_rtol.with.rates=[0.0003333333333]",
            DECAYED,
        ),
        undecided=NO_EVALUATION,
    ),
    Healthy("compiled", settings=("train.steps=4", DECAYED, UNCLIPPED), undecided={**NO_SCHEDULER, **NO_EVALUATION}),
    Healthy("task", settings=(UNCLIPPED,), undecided=NO_SCHEDULER),
    Healthy("whole", settings=(UNCLIPPED,)),
    Healthy("lightning_automatic", settings=("checks.accumulation=2", DECAYED), needs="lightning"),
    Healthy("lightning_manual", settings=(DECAYED,), undecided=NO_EVALUATION, needs="lightning"),
)
HEALTHY = tuple(
    each if each.script == "plain" else replace(each, undecided={**NO_AVERAGE, **each.undecided}) for each in _ALL
)
