"""The section `train` of a spec: how the short trainings of the checks are done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Annotated, Any, Literal

from msgspec import Meta

from retspec.records.quantities import PositiveInt
from retspec.records.tasks import NAMED_LOSSES, TaskName

OPTIMIZERS = (
    *("adadelta", "adafactor", "adagrad", "adam", "adamax", "adamw", "asgd", "muon", "nadam", "radam"),
    *("rmsprop", "rprop", "sgd"),
)
"""Classes of torch.optim, in lower case: https://docs.pytorch.org/docs/stable/optim.html#algorithms"""
REFUSED_OPTIMIZERS = {
    "lbfgs": "it calls the training step several times per update, which the recipe cannot do",
    "sparseadam": "it supports only sparse gradients, and a vision model has none",
    "sparse_adam": "it supports only sparse gradients, and a vision model has none",
}
"""Optimizers of torch.optim that the recipe refuses, with the reason."""
SCHEDULERS = (
    *("constantlr", "cosineannealinglr", "cosineannealingwarmrestarts", "exponentiallr", "linearlr", "multisteplr"),
    *("onecyclelr", "polynomiallr", "steplr"),
)
"""Classes of torch.optim.lr_scheduler, in lower case, that need nothing but numbers."""
REFERENCE = r"^[\w.]+:\w+$"
"""A callable of the user's own, `package.module:callable`: no name of torch has a colon."""
OWN_OPTIMIZER_DECIDES = ("lr", "weight_decay", "momentum", "groups")
"""The keys that say nothing beside an optimizer of the user's own, which has its groups and their rates."""
OWN_STEP_DECIDES = ("loss", "label_smoothing", "class_weights")
"""Those that say nothing beside a step of the user's own, which computes its loss."""
EVERY_TRAINING = ("steps", "stop_at_drop", "min_steps", "batch_size", "dropout", "task")
"""The keys of `train:` that go with every kind of training that retspec starts."""
LAUNCHED_TRAINING = ("steps", "task")
"""Those that go with a training of the user's own."""


def is_reference(choice: object) -> bool:
    """Whether a value under `train:` names a callable of the user's own."""
    return isinstance(choice, str) and ":" in choice


def _reference(signature: str, example: str, **otherwise: Any) -> dict[str, Any]:
    """Return the schema of a text that is a reference if it has a colon, and something else if not."""
    described = f"your own, as package.module:callable{signature}"
    form = {"pattern": REFERENCE, "description": described, "examples": [example]}
    return {"if": {"pattern": ":"}, "then": form, "else": otherwise}


@dataclass(frozen=True, kw_only=True)
class ParameterGroup:
    """One of `train.groups`: trainable parameters with their own learning rate or weight decay."""

    match: Annotated[
        list[str],
        Meta(min_length=1, description="Regular expressions; a parameter is in the group if one is in its name."),
    ]
    lr: Annotated[float, Meta(ge=0, description="Learning rate; `train.lr` by default.")] | None = None
    weight_decay: Annotated[float, Meta(ge=0, description="`train.weight_decay` by default.")] | None = None


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """The section `train`: how the short trainings of the checks are done."""

    task: TaskName | None = None
    steps: Annotated[PositiveInt, Meta(description="Optimizer steps of a training.")] = 20
    stop_at_drop: (
        Annotated[
            float,
            Meta(
                gt=0,
                lt=1,
                description="End a training before its last step, as soon as its loss has fallen by this share of the "
                "first one and `min_steps` are taken. Without it every step is taken.",
                examples=[0.5],
            ),
        ]
        | None
    ) = None
    min_steps: Annotated[
        int,
        Meta(
            ge=3,  # what `dead_gradients` needs: before that, a healthy adapter's gradients may be exactly zero
            description="Steps that a training takes before `stop_at_drop` may end it; those that a loss scaler skips "
            "do not count.",
        ),
    ] = 5
    optimizer: Annotated[
        Annotated[
            str,
            Meta(
                extra_json_schema=_reference(
                    "(model)", "my_project.train:optimizer", enum=[*OPTIMIZERS], **{"x-refused": REFUSED_OPTIMIZERS}
                )
            ),
        ]
        | Annotated[
            dict[str, Any],
            Meta(
                extra_json_schema={
                    "properties": {
                        "name": {"type": "string", "enum": [*OPTIMIZERS], "x-refused": REFUSED_OPTIMIZERS},
                        "lr": {"type": "number", "minimum": 0},
                    },
                    "required": ["name"],
                    "additionalProperties": True,
                }
            ),
        ],
        Meta(
            description="The optimizer, a class of torch.optim in lower case; or a mapping with its `name` and its "
            "arguments; or your own as package.module:callable(model), which may return a pair with its scheduler.",
            examples=["adamw", {"name": "rmsprop", "lr": 1e-3, "alpha": 0.9}],
        ),
    ] = "adamw"
    lr: Annotated[float, Meta(ge=0, description="Learning rate; constant without a `scheduler`.")] | None = 1e-3
    """None for an optimizer of the user's own, which has its rates."""
    weight_decay: Annotated[float, Meta(ge=0, description="Weight decay of every trainable parameter.")] = 0.0
    momentum: Annotated[float, Meta(ge=0, lt=1, description="Momentum, for sgd.")] = 0.0
    batch_size: Annotated[PositiveInt, Meta(description="Images per optimizer step.")] = 4
    accumulation: Annotated[PositiveInt, Meta(description="Micro-batches per optimizer step.")] = 1
    amp: Annotated[Literal["none", "bfloat16", "float16"], Meta(description="Autocast dtype.")] = "none"
    grad_checkpointing: Annotated[
        bool, Meta(description="Compute activations again in the backward pass instead of keeping them, as timm can.")
    ] = False
    loss: Annotated[
        str,
        Meta(
            pattern=rf"^({'|'.join(NAMED_LOSSES)}|[\w.]+:\w+(\.\w+)*)$",
            description=f"{', '.join(NAMED_LOSSES)}, or your own as package.module:callable(logits, targets).",
            examples=["cross_entropy", "bce_with_logits", "mse"],
        ),
    ] = "cross_entropy"
    step: (
        Annotated[
            str,
            Meta(
                pattern=REFERENCE,
                description="Your own forward pass and loss, as package.module:callable(model, batch), with the pair "
                "(inputs, targets) as the batch. It returns the loss, or a mapping of `loss`, `outputs` and `targets`.",
                examples=["my_project.train:step"],
                extra_json_schema={"x-meant": "steps"},
            ),
        ]
        | None
    ) = None
    dropout: Annotated[
        Literal["zero", "keep"],
        Meta(description="zero: switch dropout and stochastic depth off while measuring; keep: leave them on."),
    ] = "zero"
    groups: Annotated[
        list[ParameterGroup],
        Meta(description="Parameters with their own values; each is in the first group that it matches, or in none."),
    ] = field(default_factory=list)
    scheduler: (
        Annotated[
            Annotated[
                dict[str, Any],
                Meta(
                    extra_json_schema={
                        "properties": {"name": {"type": "string", "enum": [*SCHEDULERS]}},
                        "required": ["name"],
                        "additionalProperties": True,
                    }
                ),
            ]
            | Annotated[
                str,
                Meta(extra_json_schema=_reference("(optimizer)", "my_project.train:scheduler", type="object")),
            ],
            Meta(
                description="What changes the learning rate after each optimizer step: `name`, a class of "
                "torch.optim.lr_scheduler in lower case, and its arguments; or your own as "
                "package.module:callable(optimizer).",
                examples=[{"name": "cosineannealinglr", "T_max": 20}],
            ),
        ]
        | None
    ) = None
    clip_norm: (
        Annotated[float, Meta(gt=0, description="Norm that all gradients together are clipped to in each update.")]
        | None
    ) = None
    label_smoothing: Annotated[
        float, Meta(ge=0, lt=1, description="Share of each target spread over all classes; for cross_entropy.")
    ] = 0.0
    class_weights: (
        Annotated[
            list[Annotated[float, Meta(ge=0)]],
            Meta(min_length=1, description="Weight of each class in the loss; for cross_entropy."),
        ]
        | None
    ) = None


def decided_by(recipe: Recipe) -> dict[str, str]:
    """Return the keys of a recipe that a callable of the user's own decides, with the key that names the callable."""
    decided = dict.fromkeys(OWN_OPTIMIZER_DECIDES, "optimizer") if is_reference(recipe.optimizer) else {}
    return decided | ({} if recipe.step is None else dict.fromkeys(OWN_STEP_DECIDES, "step"))


RECIPE_KEYS = frozenset(each.name for each in fields(Recipe))


@dataclass(frozen=True, kw_only=True)
class TrainingSource:
    """A kind of training other than the recipe, as the section `train` names it."""

    source: str
    value: Any = None
    arguments: Mapping[str, Any] = field(default_factory=dict)
