"""A fixed report with every verdict, for whoever renders, stores or reads reports."""

from __future__ import annotations

from datetime import date
from typing import Any

from retspec.errors import Mark
from retspec.judge import judge, not_run, skipped
from retspec.records import (
    Criterion,
    Direction,
    Measured,
    Observed,
    Outcome,
    Provenance,
    Report,
    Result,
    Severity,
    Value,
    Verdict,
    Waiver,
)

FILE = "specs/lora_preflight.yaml"
TODAY = date(2026, 1, 15)


def criterion(name: str = "loss_drop", limit: Value = 0.5, *, line: int = 22, **changes: Any) -> Criterion:
    """Return a criterion that stands in the sample spec; a limit of at least 0.5 unless told otherwise."""
    fields: dict[str, Any] = {
        "id": name,
        "check": name,
        "direction": Direction.AT_LEAST,
        "unit": "",
        "limit": limit,
        "advice": "Raise the learning rate, or train for more steps.",
        "mark": Mark(FILE, line, 3),
    }
    return Criterion(**fields | changes)


def judged(held: Criterion, value: Any, details: dict[str, Any] | None = None, *, today: date = TODAY) -> Result:
    """Return the verdict on a value that a check returned."""
    return judge(held, Outcome(id=held.id, observed=Observed(value, details or {}), seconds=0.25), today=today)


def waiver(until: date = TODAY, **changes: str) -> Waiver:
    """Return a waiver that ends with the day of the sample unless told otherwise."""
    return Waiver(**{"reason": "BatchNorm is thawed on purpose", "owner": "ada", **changes}, until=until)


def failed(held: Criterion, failure: Verdict, reason: str, **outcome: Any) -> Result:
    """Return the result of a criterion that could not be observed."""
    return judge(held, Outcome(id=held.id, failure=failure, reason=reason, **outcome))


def report(*results: Result, **changes: Any) -> Report:
    """Return a report of these results."""
    fields: dict[str, Any] = {
        "name": "lora_preflight",
        "file": FILE,
        "started": "2026-01-15T09:30:00",
        "seconds": 83.1,
        "results": results,
    }
    return Report(**fields | changes)


def _decided() -> list[Result]:
    most, equal = Direction.AT_MOST, Direction.EQUAL
    return [
        judged(
            criterion("max_trainable_params", 1_000_000, line=18, direction=most, unit="parameters"),
            791_557,
            {"adapter": 786_432, "head": 5_125, "other": 0, "frozen": 303_306_757},
        ),
        judged(
            criterion("merge_atol", 1e-5, line=19, direction=most),
            1.234567e-6,
            {"worst layer": "blocks.0.attn"},
        ),
        judged(criterion("attention_shape", (4, 16, 197, 197), line=20, direction=equal), (4, 16, 197, 197)),
        judged(
            criterion(
                line=22, arguments={"steps": 20}, tags=("training",), question="By which fraction does the loss fall?"
            ),
            0.31,
            {
                "losses": [1.6 - 0.025 * step for step in range(20)],
                "by class": {"Grad 0": 0.4, "Grad 4 — プロリフ": [1, 2]},
            },
        ),
        judged(
            criterion(
                "lora_layers",
                48,
                line=23,
                direction=equal,
                advice="Name `attn.proj` in target_modules: a bare `proj` wraps `patch_embed.proj` too.",
            ),
            49,
            {"adapted": [f"base_model.model.blocks.{block}.attn.qkv (Linear)" for block in range(49)]},
        ),
        judged(
            criterion("peak_memory_mb", 8000, line=24, direction=most, unit="MB", warn=6000, advice="Use amp."),
            7000.25,
        ),
        judged(criterion("short_loss_drop", 0.2, line=27, check="loss_drop", severity=Severity.WARN), 0.19999999),
        judged(
            criterion("frozen_drift", 0, line=28, direction=most, unit="tensors", waive=waiver(), advice="Freeze."),
            2,
            {"first": "blocks.0.norm.running_mean"},
        ),
        judged(criterion("adapter_rank", 4, line=30, waive=waiver()), 8),
        skipped(
            criterion("compile_atol", 1e-5, line=31, direction=most, skip="inductor needs a compiler <here> & now")
        ),
    ]


def _undecided() -> list[Result]:
    most = Direction.AT_MOST
    trace = 'Traceback (most recent call last):\n  File "check.py", line 3\n\x1b[31mValueError\x1b[0m: 0/0 ↯'
    broken = "the model cannot be built: timm knows no model 'vit_larg'; did you mean 'vit_large_patch16_224'?"
    return [
        failed(
            criterion("adapter_effect", 1e-3, line=33),
            Verdict.INCONCLUSIVE,
            "the adapter has no effect: merging it proves nothing",
        ),
        judged(criterion("max_final_loss", 0.1, line=34, direction=most), float("nan"), {"last": float("inf")}),
        failed(criterion("input_matters", line=35), Verdict.ERROR, broken, trace=trace, seconds=1.5),
        failed(
            criterion("head_trainable", limit=True, line=36, direction=Direction.EQUAL),
            Verdict.ERROR,
            broken,
            trace=trace,
        ),
        failed(
            criterion("step_time_ms", 40, line=37, direction=most, unit="ms"),
            Verdict.TIMEOUT,
            "no answer within 600 s",
        ),
        failed(criterion("eval_drift", 0, line=38, direction=most), Verdict.CRASH, "the worker died of SIGSEGV"),
        failed(
            criterion("memory_growth_mb", 1, line=39, direction=most, unit="MB"),
            Verdict.OUT_OF_MEMORY,
            "SIGKILL: probably out of memory",
        ),
        not_run(criterion("overfit_accuracy", 1.0, line=40), "the run ended before"),
    ]


def _training() -> Measured:
    gradients = [
        {
            "name": f"base_model.model.blocks.{block}.attn.qkv.lora_{factor}.default.weight",
            "group": "adapter",
            "norms": [0.5 / (1 + block), None if block else 0.25],
            "nonfinite_steps": 0,
            "moved": True,
        }
        for block in range(2)
        for factor in "AB"
    ]
    facts = {
        "steps": 2,
        "losses": [1.6, 1.1],
        "nonfinite_loss_at": None,
        "nonfinite_operation": "",
        "gradients": gradients,
        "drifted": [],
        "chance_loss": 1.6094379124341003,
        "seconds": [0.25, 0.125],
        "batch_size": 4,
        "skipped": None,
    }
    return Measured(key="training", facts=facts, seconds=3.5, criteria=("loss_drop", "short_loss_drop"))


def sample() -> Report:
    """Return the report: two criteria or more of every kind of verdict that people read differently."""
    return report(
        *_decided(),
        *_undecided(),
        description="Gate before any GPU hour is spent on the APTOS run — größer ist nicht besser.",
        measurements=(_training(),),
        faults=("plugin 'retspec-broken' failed while it observed the run: KeyError: 'x'",),
        provenance=Provenance(
            spec_sha256="0f" * 32,
            config_sha256="af" * 32,
            subject={"model": {"source": "timm", "value": "vit_large_patch16_224"}, "run": {"seed": 42, "dtype": None}},
            subject_sha256="5b" * 32,
            checkpoint_sha256="c5" * 32,
            adapter_sha256="ad" * 32,
            seed=42,
            device="cpu",
            dtype="float32",
            threads=2,
            git_commit="422bd06",
            platform="Linux-6.8-x86_64",
            hostname="runner-7",
            versions={"retspec": "0.1.0", "torch": "2.10.0"},
            plugins={"retspec-retfound": "0.1.0"},
        ),
    )
