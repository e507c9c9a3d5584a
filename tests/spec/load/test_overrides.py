from __future__ import annotations

from collections.abc import Callable

import pytest

from retspec.errors import Mark, SpecError, UsageError
from retspec.spec.document import Document

Loaded = Callable[..., Document]

TEXT = """\
retspec: 1
vars: {rank: 8}
model: {timm: x, lora: {r: "${vars.rank}", target_modules: [qkv, proj]}}
train:
checks: {a.b: {limit: 1}}
"""


@pytest.mark.parametrize(
    ("override", "path", "value"),
    [
        ("model.lora.r=16", ("model", "lora", "r"), 16),
        ("model.lora.alpha=1e1", ("model", "lora", "alpha"), 10.0),
        ("vars.rank=4", ("model", "lora", "r"), 4),
        ("model.lora.target_modules.1=fc1", ("model", "lora", "target_modules"), ["qkv", "fc1"]),
        ("model.lora.target_modules=[a, b]", ("model", "lora", "target_modules"), ["a", "b"]),
        ("run.device=cpu", ("run",), {"device": "cpu"}),
        ("train.steps=3", ("train",), {"steps": 3}),
        ("checks.a.b.limit=2", ("checks",), {"a.b": {"limit": 2}}),
        ("name=a=b", ("name",), "a=b"),
        ("name=yes", ("name",), "yes"),
        ("name=", ("name",), None),
        ("model.lora.r=${env.RETSPEC_TEST_UNSET:-2}", ("model", "lora", "r"), 2),
    ],
)
def test_an_override_replaces_a_value(loaded: Loaded, override: str, path: tuple[str, ...], value: object) -> None:
    data: object = loaded(TEXT, override).data
    for key in path:
        assert isinstance(data, dict)
        data = data[key]
    assert data == value


def test_later_overrides_win_and_keep_their_marks(loaded: Loaded) -> None:
    document = loaded(TEXT, "model.lora.r=1", "model.lora.r=2")
    assert document.data["model"]["lora"]["r"] == 2
    assert document.marks["model", "lora", "r"] == Mark("--set model.lora.r=2", 1, 1)
    assert document.key_marks["model", "lora", "r"].file == "spec.yaml"


def test_a_key_that_an_override_adds_is_marked_by_it(loaded: Loaded) -> None:
    assert loaded(TEXT, "modl.x=1").key_marks["modl",] == Mark("--set modl.x=1", 1, 1)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("model.lora.r", "write a path and a value"),
        ("=3", "write a path and a value"),
        ("model..r=3", "write a path and a value"),
        (f"{'.'.join('a' * 100)}=3", "write a path and a value"),
        ("model.timm=\udcff", "this is not UTF-8"),
        ("model.\udcff.x=3", "this is not UTF-8"),
        ("model.timm.x=3", "there is no 'x' in a single value"),
        ("model.lora.target_modules.2=x", "there is no item '2' in a list of 2; items count from 0"),
        ("model.lora.target_modules.first=x", "there is no item 'first' in a list of 2"),
    ],
)
def test_a_path_that_leads_nowhere_is_a_usage_error(loaded: Loaded, override: str, message: str) -> None:
    with pytest.raises(UsageError) as refusal:
        loaded(TEXT, override)
    shown = override.replace("\udcff", r"\udcff")
    assert str(refusal.value).startswith(f"--set {shown}: {message}")
    assert "\n" not in str(refusal.value)


def test_a_value_that_is_not_yaml_is_refused(loaded: Loaded) -> None:
    with pytest.raises(SpecError, match=r"^--set name=\[:1:1: this is not YAML"):
        loaded(TEXT, "name=[")


def test_a_faulty_value_is_carried(loaded: Loaded) -> None:
    document = loaded(TEXT, "train.lr=.nan")
    assert [str(problem.mark) for problem in document.problems] == ["--set train.lr=.nan:1:1"]
    assert document.is_faulty(("train", "lr"))
