"""The schema of a spec, composed from the catalog: what the plugins offer is what a spec may say.

Draft-07 throughout. Alternatives are distinguished by `if`, `then` and `else` on a key, never by a bare `anyOf`,
so that an error names the alternative that was meant.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from retspec.records import (
    EVERY_TRAINING,
    LAUNCHED_TRAINING,
    LOCAL,
    LORA_ALIASES,
    PEFT_KEYS,
    PEFT_NEEDS,
    PEFT_REFUSED,
    Adapters,
    CheckpointFile,
    Fill,
    Folder,
    ForwardArguments,
    Lora,
    ModelOutput,
    PredictionFiles,
    Recipe,
    RunOptions,
    Sha256,
    peft_names,
)
from retspec.spec.validate.arguments import BESIDE_FILES, beside
from retspec.spec.validate.criteria import checks_section
from retspec.spec.validate.extending import with_extending
from retspec.spec.validate.fragments import Fragment, Fragments
from retspec.spec.validate.published import publish

if TYPE_CHECKING:
    from collections.abc import Mapping

    from retspec.plugins.catalog import Catalog
    from retspec.plugins.kinds import Executor, Source


_PEFT = "Another method of peft than LoRA, with its own keys."


def compose_schema(catalog: Catalog, *, published: bool = False) -> dict[str, Any]:
    """Return the schema of a spec under this catalog.

    published: for editors and other validators, which see references (`${vars.x}`) and `1_000_000` as text.
    Raises `PluginError` for an argument whose type JSON has nothing like.
    """
    fragments = Fragments()
    schema = {
        "type": "object",
        "properties": _head() | _sections(catalog, fragments, published=published),
        "additionalProperties": False,
        "required": ["retspec", "checks"],
        "definitions": fragments.definitions,
    }
    return publish(with_extending(schema)) if published else schema


def _head() -> Fragment:
    text = {"type": "string", "minLength": 1}
    return {
        "retspec": {"const": 1, "description": "The version of this format."},
        "extends": {
            "type": ["string", "array"],
            "minLength": 1,
            "items": text,
            "minItems": 1,
            "description": "The specs that this one is laid over, relative to this file: of two that say the same, the "
            "later wins, and this file over all of them. Mappings are merged, lists replaced; null removes a key.",
        },
        "name": {**text, "description": "By default the name of the file without its suffix."},
        "description": {"type": "string", "description": "What the spec is for.", "default": ""},
        "vars": {"type": "object", "description": "Values to refer to as ${vars.NAME}."},
        "config": {
            **text,
            "description": "The project's own training config (YAML, JSON, TOML, Python), relative to this file; "
            "refer to its values as ${config.KEY}.",
        },
        "matrix": {
            "type": ["object", "array"],
            "minProperties": 1,
            "additionalProperties": {
                "type": ["array", "string"],
                "minItems": 1,
                "pattern": r"[*?\[]",
                "patternErrorMessage": "Expected a list of values, a pattern of files such as runs/*/best.pth, or a "
                "reference: ${vars.NAME}.",
            },
            "minItems": 1,
            "items": {"type": "object", "minProperties": 1},
            "description": "Makes a spec for each cell: of a mapping of keys to lists of values for every combination, "
            "of a list for each mapping in it. A key such as model.lora.r sets that place, any other word is a "
            "variable; ${matrix.KEY} refers to either. A pattern such as runs/*/best.pth is the list of the files that "
            "match.",
        },
        "plugins": {
            "type": "array",
            "items": text,
            "description": "More checks: Python files, relative to this one, or dotted names of modules.",
            "default": [],
        },
    }


def _sections(catalog: Catalog, fragments: Fragments, *, published: bool) -> Fragment:
    beside_model = {
        "checkpoint": fragments.of(CheckpointFile, "checkpoint"),
        "checkpoint_sha256": fragments.of(Sha256, "checkpoint_sha256"),
        "fill": {**fragments.of(Fill, "fill"), "default": True},
        "lora": fragments.of(Lora, "lora"),
        "peft": _published_peft() if published else _peft_section(fragments),
        "adapter": fragments.of(Folder, "adapter"),
        "forward": fragments.of(ForwardArguments, "forward"),
        "output": fragments.of(ModelOutput, "output"),
        "adapters": fragments.of(Adapters, "adapters"),
    }
    adapter = fragments.definitions[Lora.__name__]["properties"]
    adapter |= {alias: {**adapter[name], "description": f"As {name}."} for alias, name in LORA_ALIASES.items()}
    model = _source_section("The model under test", catalog.model_sources, beside_model, fragments)
    beside_data = {name: fragments.of(annotation, name) for name, annotation in BESIDE_FILES.items()}
    train = fragments.of(Recipe, "train")
    fragments.definitions[Recipe.__name__]["dependencies"] = {"min_steps": ["stop_at_drop"]}
    return {
        "model": {**model, "dependencies": {"checkpoint_sha256": ["checkpoint"]}},
        "data": _source_section("Where the batch comes from", catalog.data_sources, beside_data, fragments),
        "train": _train_section(train, catalog.training_keys, fragments),
        "predictions": fragments.of(PredictionFiles, "predictions"),
        "run": _run_section(catalog, fragments),
        "checks": checks_section(catalog, fragments),
    }


def _run_section(catalog: Catalog, fragments: Fragments) -> Fragment:
    """Options, with the resources that the executor knows; the one that is built in leaves them to the others."""
    executors = catalog.executors
    section = fragments.of(RunOptions, "run")
    options = fragments.definitions[RunOptions.__name__]
    options["properties"]["executor"] |= {"enum": [*dict.fromkeys((LOCAL, *executors))]}
    options["properties"]["fault"] |= {"enum": ["", *catalog.faults]}
    if ways := [_resources(each, fragments) for each in executors.values() if each.name != LOCAL]:
        options["allOf"] = ways
    return section


def _resources(executor: Executor, fragments: Fragments) -> Fragment:
    owner = f"executor {executor.name!r}"
    resources = {
        "properties": {name: fragments.of_argument(given, owner) for name, given in executor.arguments.items()},
        "additionalProperties": False,
        "required": [name for name, given in executor.arguments.items() if given.is_required],
    }
    named = {"properties": {"executor": {"const": executor.name}}, "required": ["executor"]}
    return {"if": named, "then": {"properties": {"resources": resources}}}


def _peft_section(fragments: Fragments) -> Fragment:
    """A method of peft by its type, with the keys of its configuration beside it."""
    choice = {
        "type": "string",
        "description": "The method, such as loha.",
        "enum": [name for kind in PEFT_KEYS for name in peft_names(kind)],
        "x-names": [kind.lower() for kind in PEFT_KEYS],
        "x-refused": PEFT_REFUSED,
    }
    return {
        "type": "object",
        "description": _PEFT,
        "properties": {"type": choice},
        "required": ["type"],
        "allOf": [
            {
                "if": {"properties": {"type": {"enum": peft_names(kind)}}, "required": ["type"]},
                "then": {
                    "properties": {"type": True, **{name: fragments.of(key, "peft") for name, key in keys.items()}},
                    "additionalProperties": False,
                    "required": list(PEFT_NEEDS.get(kind, ("target_modules",))),
                },
            }
            for kind, keys in PEFT_KEYS.items()
        ],
    }


def _published_peft() -> Fragment:
    """The methods alone: with the keys of each, the schema would be a quarter larger; `validate` holds those."""
    choice = {"type": "string", "examples": ["loha"]}
    return {"type": "object", "description": _PEFT, "properties": {"type": choice}, "required": ["type"]}


def _train_section(recipe: Fragment, sources: Mapping[str, Source], fragments: Fragments) -> Fragment:
    """The keys of the recipe, or one key that names another kind of training, with its arguments beside it."""
    if not sources:
        return recipe
    keys = fragments.definitions[Recipe.__name__]["properties"]
    chain = recipe
    for source in reversed(list(sources.values())):
        common = {name: keys[name] for name in (LAUNCHED_TRAINING if source.launches else EVERY_TRAINING)}
        chain = {"if": {"required": [source.name]}, "then": _beside(source, common, fragments), "else": chain}
    values = {name: _value(source, fragments) for name, source in sources.items()}
    # Editors look for the values of a key here first, and not behind each `else`.
    of_recipe = {name: value for name, value in keys.items() if name not in EVERY_TRAINING}
    return {"type": "object", "properties": {**of_recipe, **values}, **chain}


def _source_section(
    description: str, sources: Mapping[str, Source], common: Fragment, fragments: Fragments
) -> Fragment:
    """Exactly one key names the source; beside it are that source's arguments and what is common to its kind."""
    values = {name: _value(source, fragments) for name, source in sources.items()}
    chain: Fragment = {
        "properties": dict.fromkeys([*values, *common], True),
        "additionalProperties": False,
        "not": {"properties": dict.fromkeys(values, False)},
    }
    for source in reversed(list(sources.values())):
        chain = {"if": {"required": [source.name]}, "then": _beside(source, common, fragments), "else": chain}
    listed = ", ".join(sources)
    return {
        "type": "object",
        "description": f"{description}: one of {listed}.",
        "properties": values | common,
        **chain,
    }


def _value(source: Source, fragments: Fragments) -> Fragment:
    value = fragments.of(source.value_type, f"{source.kind} source {source.name!r}")
    return value if "$ref" in value else {"description": source.doc.partition("\n")[0], **value}


def _beside(source: Source, common: Fragment, fragments: Fragments) -> Fragment:
    owner = f"{source.kind} source {source.name!r}"
    if source.kind == "data":
        common = {name: common[name] for name in beside(source)}
    arguments = {name: fragments.of_argument(argument, owner) for name, argument in source.arguments.items()}
    return {
        "properties": {source.name: True, **_below(source, common), **arguments},
        "additionalProperties": False,
        "required": [name for name, argument in source.arguments.items() if argument.is_required],
    }


def _below(source: Source, common: Fragment) -> Fragment:
    """Return the keys that go with every source; a section with a recipe besides says it nowhere else."""
    return common if source.kind == "train" else dict.fromkeys(common, True)
