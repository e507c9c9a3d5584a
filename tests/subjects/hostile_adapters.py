"""Folders that pretend to be adapters: what is changed in a healthy one, and the words that refuse it."""

from __future__ import annotations

import json
import os
import pickle
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import load_file, save_file

from tests.subjects import hostile

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CONFIG = "adapter_config.json"
WEIGHTS = "adapter_model.safetensors"
EVIL = "from pathlib import Path\nPath(__file__).with_name('ran').touch()\n"
"""Code that leaves a file beside itself."""

KEYS: dict[str, tuple[dict[str, Any], str]] = {
    # What makes peft, at one version or another, import, run or fetch.
    "megatron": ({"megatron_config": {"a": 1}, "megatron_core": "saved.evil"}, "never given to peft"),
    "megatron alone": ({"megatron_config": {"a": 1}}, "'megatron_config', which is never given to peft"),
    "megatron_core alone": ({"megatron_core": "saved.evil"}, "has a wrong value for 'megatron_core'"),
    "megatron_core of its own name": ({"megatron_config": {"a": 1}, "megatron_core": "megatron.evil"}, "megatron"),
    "custom modules": ({"_custom_modules": {"torch.nn.Linear": "saved.evil.Layer"}}, "'_custom_modules'"),
    "custom module mapping": ({"custom_module_mapping": {"Linear": "saved.evil"}}, "'custom_module_mapping'"),
    "auto_mapping as text": ({"auto_mapping": "saved.evil"}, "has a wrong value for 'auto_mapping'"),
    "parent library": ({"parent_library": "saved.evil", "base_model_class": "Model"}, "'parent_library'"),
    "class of the base": ({"base_model_class": "saved.evil.Model"}, "'base_model_class'"),
    "remote code": ({"trust_remote_code": True}, "'trust_remote_code'"),
    "tokenizer": ({"tokenizer_name_or_path": "stranger/tokenizer"}, "'tokenizer_name_or_path'"),
    "tokenizer arguments": ({"tokenizer_kwargs": {"trust_remote_code": True}}, "'tokenizer_kwargs'"),
    "shadow model": ({"shadow_model": "stranger/model"}, "'shadow_model'"),
    "corda": ({"init_lora_weights": "corda", "corda_config": {"cache_file": "saved/x"}}, "'init_lora_weights'"),
    "loftq": ({"init_lora_weights": "loftq", "loftq_config": {"loftq_iter": 10**9}}, "'init_lora_weights'"),
    "gradients": ({"init_lora_weights": "lora_ga"}, "'init_lora_weights'"),
    "endless pissa": ({"init_lora_weights": "pissa_niter_999999999"}, "'init_lora_weights'"),
    "code for init": ({"init_lora_weights": "__import__('os')"}, "'init_lora_weights'"),
    "replication": ({"layer_replication": [[0, 10**9]]}, "'layer_replication', which is never given to peft"),
    "arrow": ({"arrow_config": {"top_k": 1}}, "'arrow_config', which is never given to peft"),
    "kasa": ({"kasa_config": {}, "velora_config": {"scale": 1}}, "'velora_config', which is never given to peft"),
    "monteclora": ({"monteclora_config": {"num_samples": 10**9}}, "'monteclora_config'"),
    "bdlora": ({"use_bdlora": {"nblocks": 2}}, "'use_bdlora', which is never given to peft"),
    "qalora": ({"use_qalora": True}, "'use_qalora', which is never given to peft"),
    "alora": ({"alora_invocation_tokens": [1]}, "'alora_invocation_tokens'"),
    # Keys of other types, and of none.
    "prompt": ({"num_virtual_tokens": 8}, "'num_virtual_tokens', which is not a known key of a LORA adapter"),
    "adalora": ({"target_r": 8}, "'target_r', which is not a known key of a LORA adapter"),
    "loha": ({"alpha": 16}, "'alpha', which is not a known key of a LORA adapter"),
    "near miss": ({"lora_alphas": 16}, "did you mean 'lora_alpha'?"),
    "dunder": ({"__class__": "saved.evil"}, "'__class__', which is not a known key"),
    "escape": ({"x\x1b[2J\n": 1}, "'x\\x1b[2J\\n', which is not a known key"),
    "surrogate": ({"\ud800": 1}, "which is not a known key"),
    "long key": ({"k" * 100_000: 1}, "kkk...', which is not a known key"),
    "prompt tuning": ({"peft_type": "PROMPT_TUNING"}, "its peft_type is 'PROMPT_TUNING'; LORA, ADALORA, LOHA, LOKR"),
    "xlora": ({"peft_type": "XLORA", "adapters": {"1": "saved"}}, "its peft_type is 'XLORA'"),
    "lower case": ({"peft_type": "lora"}, "its peft_type is 'lora'"),
    "no type": ({"peft_type": None}, "its peft_type is no name"),
    "types": ({"peft_type": ["LORA"]}, "its peft_type is no name"),
    "odd task": ({"task_type": "IMAGE_CLS"}, "has a wrong value for 'task_type'"),
    # Wrong types and sizes.
    "rank as text": ({"r": "4"}, "has a wrong value for 'r' of a LORA adapter: Expected `int`, got `str`"),
    "rank as truth": ({"r": True}, "Expected `int`, got `bool`"),
    "rank as number": ({"r": 4.0}, "Expected `int`, got `float`"),
    "rank as list": ({"r": [4]}, "Expected `int`, got `array`"),
    "rank of nothing": ({"r": None}, "Expected `int`, got `null`"),
    "rank of zero": ({"r": 0}, "Expected `int` >= 1"),
    "negative rank": ({"r": -4}, "Expected `int` >= 1"),
    "huge rank": ({"r": 10**6}, "'r' as 1,000,000; no factor in the weights has a rank beyond 4"),
    "larger rank": ({"r": 10**9}, "Expected `int` <= 1048576"),
    "rank of 100 bits": ({"r": 10**30}, "is not a number that an adapter has"),
    "huge rank of one layer": ({"rank_pattern": {"qkv": 10**6}}, "'qkv' as 1,000,000; no factor"),
    "negative rank of one layer": ({"rank_pattern": {"qkv": -1}}, "has a wrong value for 'rank_pattern'"),
    "alpha as text": ({"lora_alpha": "16"}, "Expected `float`, got `str`"),
    "huge alpha": ({"lora_alpha": 10**4000}, "is not a number that an adapter has"),
    "large alpha": ({"lora_alpha": 10**9}, "has a wrong value for 'lora_alpha'"),
    "alpha pattern": ({"alpha_pattern": [16]}, "has a wrong value for 'alpha_pattern'"),
    "dropout": ({"lora_dropout": 7}, "has a wrong value for 'lora_dropout'"),
    "layers as number": ({"target_modules": 7}, "has a wrong value for 'target_modules'"),
    "layers as numbers": ({"target_modules": [7]}, "has a wrong value for 'target_modules'"),
    "no layers": ({"target_modules": []}, "does not fit the model"),
    "broken pattern": ({"target_modules": "(qkv"}, "does not fit the model: error: missing )"),
    "bias": ({"bias": "every"}, "Invalid enum value 'every'"),
    "layer number": ({"layers_to_transform": [-1]}, "has a wrong value for 'layers_to_transform'"),
    "saved modules": ({"modules_to_save": "head"}, "has a wrong value for 'modules_to_save'"),
    "all modules": ({"modules_to_save": [""]}, "does not fit the model"),
    "parameters": ({"target_parameters": {"a": 1}}, "has a wrong value for 'target_parameters'"),
    "tokens": ({"trainable_token_indices": [10**9]}, "has a wrong value for 'trainable_token_indices'"),
    "dora as text": ({"use_dora": "no"}, "has a wrong value for 'use_dora'"),
}
"""Keys of the configuration that are changed."""

TEXTS: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "is not valid JSON: Expecting value"),
    "cut": (b'{"peft_type": "LORA", "r": ', "is not valid JSON"),
    "list": (b"[]", "holds a list, not the keys of a configuration"),
    "text": (b'"LORA"', "holds a str"),
    "python": (b"__import__('os').mkdir('ran')", "is not valid JSON"),
    "yaml": (b"peft_type: !!python/object/apply:os.mkdir [ran]\n", "is not valid JSON"),
    "not unicode": (b'{"peft_type": "\xff\xfe"}', "is not valid JSON"),
    "zeros": (b"\0" * 99, "is not valid JSON"),
    "deep list": (b"[" * 10_000, "is nested too deep"),
    "deep object": (b'{"r":' * 10_000 + b"1" + b"}" * 10_000, "is nested too deep"),
    "deep value": (b'{"peft_type": "LORA", "auto_mapping": {"a": ' + b"[" * 10_000, "is nested too deep"),
    "key twice": (b'{"peft_type": "LORA", "r": 4, "r": 8}', "it says 'r' more than once"),
    "key twice inside": (b'{"peft_type": "LORA", "rank_pattern": {"a": 1, "a": 2}}', "it says 'a' more than once"),
    "type twice": (b'{"peft_type": "XLORA", "peft_type": "LORA"}', "it says 'peft_type' more than once"),
    "NaN": (b'{"peft_type": "LORA", "r": NaN}', "NaN is not a JSON number"),
    "infinity": (b'{"peft_type": "LORA", "lora_alpha": -Infinity}', "-Infinity is not a JSON number"),
    "overflow": (b'{"peft_type": "LORA", "lora_alpha": 1e999}', "'1e999' is not a finite number"),
    "endless integer": (b'{"peft_type": "LORA", "r": ' + b"9" * 9_999 + b"}", "is not valid JSON"),
    "too many keys": (b"{" + b",".join(b'"%d":1' % n for n in range(400_000)) + b"}", "4,194,304 at most"),
}
"""Texts that stand in place of the configuration."""


def pickled(folder: Path) -> None:
    (folder / WEIGHTS).unlink()
    torch.save({"x": hostile.Runs(folder / "ran")}, folder / "adapter_model.bin", pickle_module=pickle)


def as_bin(content: Callable[[], bytes]) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        (folder / WEIGHTS).unlink()
        (folder / "adapter_model.bin").write_bytes(content())

    return write


def as_weights(content: bytes) -> Callable[[Path], None]:
    return lambda folder: (folder / WEIGHTS).write_bytes(content) and None


def linked(name: str, target: str) -> Callable[[Path], None]:
    def link(folder: Path) -> None:
        (folder / name).unlink()
        (folder / name).symlink_to(target)

    return link


def piped(name: str) -> Callable[[Path], None]:
    def pipe(folder: Path) -> None:
        (folder / name).unlink()
        os.mkfifo(folder / name)

    return pipe


def huge_config(folder: Path) -> None:
    with (folder / CONFIG).open("ab") as stream:
        stream.truncate(100 << 20)


def named(name: str) -> Callable[[Path], None]:
    return lambda folder: save_file({name: torch.ones(2)}, folder / WEIGHTS)


def retyped(folder: Path, dtype: torch.dtype) -> None:
    weights = load_file(folder / WEIGHTS)
    save_file({name: tensor.to(dtype) for name, tensor in weights.items()}, folder / WEIGHTS)


def complex_numbers(folder: Path) -> None:
    weights = {name: tensor.to(torch.complex64) for name, tensor in load_file(folder / WEIGHTS).items()}
    as_bin(lambda: hostile.saved(weights))(folder)


HUGE = hostile.HUGE
FILES: dict[str, tuple[Callable[[Path], None], str]] = {
    "code in a pickle": (pickled, "its pickle asks for posix.mkdir"),
    "pickle under a safe name": (
        as_weights(hostile.saved({"x": torch.ones(2)})),
        "is not a safetensors file but one of",
    ),
    "expanded": (as_bin(lambda: hostile.claiming(4, (HUGE,), (0,))), "more than the file holds"),
    "meta": (
        as_bin(lambda: hostile.saved({"x": torch.ones(2, device="meta")})),
        "holds no weights in x (saved from the meta device)",
    ),
    "sparse": (
        as_bin(lambda: hostile.saved({"x": torch.eye(2).to_sparse()})),
        "holds no weights in x (torch.sparse_coo)",
    ),
    "packed": (
        as_bin(lambda: hostile.saved({"x": torch.empty(2, dtype=torch.bits8)})),
        "holds no weights in x (torch.b",
    ),
    "integers": (lambda folder: retyped(folder, torch.int32), "other kinds of numbers: base_model.model"),
    "complex": (complex_numbers, "other kinds of numbers: base_model.model"),
    "pickle in the config": (lambda folder: (folder / CONFIG).write_bytes(hostile.saved({})) and None, "valid JSON"),
    "header cut": (as_weights(hostile.safetensors(b'{"weight"', length=90_000_000)), "is damaged"),
    "header of nothing": (as_weights(hostile.safetensors(b"")), "begins with zeros alone"),
    "header no JSON": (as_weights(hostile.safetensors(b"{]")), "is damaged"),
    "shape beyond": (as_weights(hostile.safetensors(hostile.entry((HUGE,)))), "is damaged"),
    "offsets beyond": (as_weights(hostile.safetensors(hostile.entry((HUGE,), (0, 4 * HUGE)))), "is damaged"),
    "shape overflows": (as_weights(hostile.safetensors(hostile.entry((2**32, 2**32)))), "is damaged"),
    "weights empty": (as_weights(b""), "is empty"),
    "weights HTML": (as_weights(b"<!doctype html><title>Log in</title>"), "is an HTML page"),
    "absurd name": (named("../../evil\x1b[2J\n" + "x" * 10_000), "does not fit the model"),
    "dunder name": (named("base_model.model.__class__.lora_A.weight"), "does not fit the model"),
    "100 MB config": (huge_config, "has 104,857,600 bytes"),
    "config to zero": (linked(CONFIG, "/dev/zero"), "is not a regular file"),
    "weights to zero": (linked(WEIGHTS, "/dev/zero"), "is not a regular file"),
    "config is a pipe": (piped(CONFIG), "is not a regular file"),
    "weights are a pipe": (piped(WEIGHTS), "is not a regular file"),
    "config to a password file": (linked(CONFIG, "/etc/passwd"), "is not valid JSON"),
    "weights to itself": (linked(WEIGHTS, WEIGHTS), "cannot be read"),
    "config to nowhere": (linked(CONFIG, "../gone"), "is a link to ../gone, which is not there"),
    "config to the folder": (linked(CONFIG, "."), "is a directory"),
}
"""What is done to the folder."""


def change(folder: Path, changes: dict[str, Any]) -> None:
    file = folder / CONFIG
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))
