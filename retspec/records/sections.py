"""The sections of a spec; the field types are the schema of what a user writes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from msgspec import Meta

from retspec.records.lora import Lora
from retspec.records.peft import Peft
from retspec.records.quantities import Dtype, Duration, PositiveInt, Size

Weights = Annotated[
    str,
    Meta(
        min_length=1,
        description="A file of weights to load into the model before it is wrapped: .pth, .pt, .bin or .safetensors, "
        "relative to this spec. Nothing in it is ever run.",
        examples=["weights/RETFound_cfp.pth"],
    ),
]


@dataclass(frozen=True, kw_only=True)
class CheckpointChoice:
    """A file of weights, and where in it they are."""

    file: Annotated[str, Meta(min_length=1, description="Relative to this spec; also the index of shards.")]
    key: Annotated[str, Meta(description='Dotted; "" for the top.')] | None = None
    prefix: Annotated[str, Meta(description="In front of the model's names.")] | None = None


CheckpointFile = Annotated[
    Weights | CheckpointChoice,
    Meta(description="Weights to load before the model is wrapped. Nothing in the file is ever run."),
]


Sha256 = Annotated[
    str,
    Meta(
        pattern=r"^[0-9a-f]{64}$",
        description="What `sha256sum` prints for the checkpoint: a file with another hash is refused.",
        examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
    ),
]
Folder = Annotated[
    str,
    Meta(
        min_length=1,
        description="A folder that `save_pretrained` of peft wrote, relative to this spec: its adapter is loaded onto "
        "the model. A section `lora` beside it must agree with what was saved.",
        examples=["runs/aptos/adapter"],
    ),
]
Fill = Annotated[
    bool,
    Meta(
        description="Whether to load the checkpoint into the model. `false` only compares the model with it, for a "
        "factory that loads the file itself.",
    ),
]


ModelOutput = Annotated[
    Annotated[int, Meta(ge=0)] | Annotated[str, Meta(min_length=1)],
    Meta(
        description="Where the logits are in what the model returns: a key or attribute, an index, or "
        "package.module:callable, which gets the output and returns them. Needed only where that is not certain.",
        examples=["pred", 0, "my_project.models:logits"],
    ),
]


ForwardArguments = Annotated[
    Mapping[str, Any],
    Meta(
        description="Arguments of `forward` beside the inputs of a batch, by name; they are the same in each call.",
        examples=[{"multimask_output": True, "image_size": 224}],
    ),
]


Adapters = Annotated[
    str,
    Meta(
        min_length=1,
        description="A regular expression that is searched in the names of parameters: those are adapters of your own. "
        "Needed only for adapters that are neither of peft nor two trainable factors beside a frozen weight.",
        examples=[r"\.(lora|adapter)_"],
    ),
]


@dataclass(frozen=True, kw_only=True)
class Model:
    """The section `model`: the source that builds it, from what, its weights and adapters, what it gets and returns."""

    source: str
    value: Any
    arguments: Mapping[str, Any] = field(default_factory=dict)
    checkpoint: CheckpointFile | None = None
    checkpoint_sha256: Sha256 | None = None
    fill: Fill = True
    lora: Lora | None = None
    peft: Peft | None = None
    adapter: Folder | None = None
    forward: ForwardArguments = field(default_factory=dict)
    output: ModelOutput | None = None
    adapters: Adapters | None = None

    @property
    def wraps(self) -> bool:
        """Whether the section says which adapter the base gets."""
        return any(part is not None for part in (self.lora, self.peft, self.adapter))


@dataclass(frozen=True, kw_only=True)
class Preprocessing:
    """How an image becomes a tensor, in the words of timm's data configuration."""

    input_size: Annotated[
        list[PositiveInt],
        Meta(min_length=3, max_length=3, description="[channels, height, width] of what comes out."),
    ]
    mean: Annotated[list[float], Meta(min_length=1, description="Per channel, for pixels from 0 to 1.")]
    std: Annotated[list[Annotated[float, Meta(gt=0)]], Meta(min_length=1, description="Per channel.")]
    interpolation: Annotated[
        Literal["nearest", "bilinear", "bicubic", "lanczos"], Meta(description="Of the resizing.")
    ] = "bicubic"
    crop_pct: Annotated[
        float, Meta(gt=0, le=1, description="Share of the resized image that the crop keeps; 1 cuts nothing off.")
    ] = 0.875
    crop_mode: Annotated[
        Literal["center", "squash", "border"],
        Meta(description="center cuts the longer side, squash squeezes it, border pads the shorter one."),
    ] = "center"


BatchSize = Annotated[PositiveInt, Meta(description="Images in the batch; `train.batch_size` by default.")]
OWN_TRANSFORM = "timm"
"""The word for the model's own transform, and the default; it is also used for models of other libraries."""
TransformChoice = Annotated[
    Annotated[str, Meta(pattern=rf"^({OWN_TRANSFORM}|[\w.]+:\w+(\.\w+)*)$")] | Preprocessing,
    Meta(
        description="timm: as timm resolves it from the model; package.module:callable: a function without arguments "
        "that returns a transform of torchvision or albumentations, or any callable from a PIL image to a tensor; or "
        "a mapping.",
        examples=[OWN_TRANSFORM, "my_project.transforms:evaluation"],
    ),
]


@dataclass(frozen=True, kw_only=True)
class Grouping:
    """How an image's file says what it belongs to, such as the patient."""

    pattern: Annotated[
        str,
        Meta(
            min_length=1,
            description="A regular expression that is searched in the file's name, or in its path if it holds a slash. "
            "The group is what its first parentheses match, or all of it without any.",
            examples=[r"(\d+)_(left|right)"],
        ),
    ]


Classes = Annotated[
    Annotated[list[Annotated[str, Meta(min_length=1)]], Meta(min_length=1)]
    | Annotated[dict[str, Annotated[int, Meta(ge=0)] | Annotated[str, Meta(min_length=1)]], Meta(min_length=1)],
    Meta(
        description="The names of all classes in the order of their numbers, from 0: labels that are integers stay as "
        "they are, and any other label must be one of the names. Or a mapping of each label to its number, which "
        "several may share, or of each number to its name.",
        examples=[["No DR", "Mild", "Moderate", "Severe", "Proliferative"], {"No DR": 0, "Mild": 1}, {"0": "No DR"}],
    ),
]


Key = Annotated[
    Annotated[int, Meta(ge=0)] | Annotated[str, Meta(min_length=1)],
    Meta(description="A key or attribute of a batch, or a place in a tuple."),
]


@dataclass(frozen=True, kw_only=True)
class Keys:
    """Where inputs and targets are in a batch of the user's."""

    inputs: Annotated[
        Annotated[int, Meta(ge=0)] | Annotated[str, Meta(min_length=1)] | list[Key] | dict[str, Key],
        Meta(
            description="A key or place; a list of them for inputs that `forward` gets in this order; a mapping of its "
            "arguments to them for inputs that it gets by name.",
            examples=["image", ["left", "right"], {"pixel_values": "image"}],
        ),
    ]
    targets: Annotated[
        Annotated[int, Meta(ge=0)] | Annotated[str, Meta(min_length=1)] | list[Key] | dict[str, Key],
        Meta(
            description="A key or place; several, as for inputs, go to a loss or step of your own.",
        ),
    ]


@dataclass(frozen=True, kw_only=True)
class Data:
    """The section `data`: the source of the batch, and from what; the last five are for sources that give files."""

    source: str = "synthetic"
    value: Any = field(default_factory=dict)
    arguments: Mapping[str, Any] = field(default_factory=dict)
    batch_size: BatchSize | None = None
    transform: TransformChoice | None = None
    train_transform: TransformChoice | None = None
    group: Grouping | None = None
    classes: Classes | None = None


@dataclass(frozen=True, kw_only=True)
class Config:
    """The project's own training config, which the section `config` names."""

    file: str
    """Absolute."""
    folders: tuple[str, ...] = ()
    """Where a relative path in it may start, absolute: the spec's folder, the config's, the working directory."""
    data: Mapping[str, Any] = field(default_factory=dict)
    unresolved: Mapping[str, str] = field(default_factory=dict)
    """Dotted place to the reason why the value there is not known; `data` holds what is written there."""
    otherwise: tuple[str, ...] = ()
    """Scalars that YAML 1.1 reads otherwise, in words: `train.lr: 1e-4 is the text '1e-4', not 0.0001`."""
    sha256: str = ""
    """Hash of the data as canonical JSON, secrets masked, overrides included."""


LOCAL = "local"
"""The executor that is built in: worker processes on this machine."""


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """The section `run`: where and how the measurements run."""

    seed: Annotated[int, Meta(ge=0, description="Seeds torch, numpy and random before each measurement.")] = 42
    seed_count: Annotated[PositiveInt, Meta(description="Under how many seeds, from `seed` on, it is measured.")] = 1
    device: Annotated[
        str,
        Meta(
            pattern=r"^(auto|cpu|mps|cuda(:[0-9]+)?)$",
            description="auto takes cuda, else mps, else cpu.",
            examples=["auto", "cpu", "cuda", "mps"],
        ),
    ] = "auto"
    dtype: (
        Annotated[
            Dtype,
            Meta(description="Of the model's weights; by default as their source makes them."),
        ]
        | None
    ) = None
    timeout: Annotated[Duration, Meta(description="For the whole run.")] | None = None
    measurement_timeout: Annotated[Duration, Meta(description="For each measurement.")] | None = None
    memory: Annotated[Size, Meta(description="CPU memory that the worker may take; enforced on Linux.")] | None = None
    threads: Annotated[PositiveInt, Meta(description="CPU threads of torch.")] | None = None
    executor: Annotated[
        str, Meta(description="Where it is measured: on this machine, or by an engine that a plugin brings.")
    ] = LOCAL
    resources: Annotated[
        Mapping[str, Any],
        Meta(description="What the engine gives each task.", examples=[{"gpus": 1, "hours": 1}]),
    ] = field(default_factory=dict)
    fault: Annotated[
        str,
        Meta(description="A fault that is planted, to see which criteria notice it; `retspec prove` tries them all."),
    ] = ""
    gallery: Annotated[
        int,
        Meta(
            ge=0,
            le=24,
            description="Small pictures of your data in the reports: a batch, one image under its augmentations, wrong "
            "predictions, and where a Vision Transformer attends. Anyone who gets a report sees them. 0 for none.",
            examples=[12],
        ),
    ] = 0
    mask: Annotated[
        list[str],
        Meta(
            description="Names of environment variables and places of this spec whose values are shown as ***, if they "
            "have four characters or more; * matches anything. A referenced variable whose name looks like a secret "
            "(TOKEN, SECRET, PASSWORD, _KEY) is always masked.",
            examples=[["HF_TOKEN", "*_KEY", "model.kwargs.url"]],
        ),
    ] = ()  # type: ignore[assignment]
