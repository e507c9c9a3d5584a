"""Figures of what data, models and checkpoints hold: classes, parameters, ranks, layers, coverage."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.report.page.figures.figure import Figure, Table
from retspec.report.page.figures.training import short_name
from retspec.report.page.marks import Row, bars
from retspec.text.wording import readable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from retspec.facts import Checkpoint, GradientAgreement, Merging, Parameters, Ranks, Splits

_MOST = 12


def splits_figures(facts: Splits) -> Iterator[Figure]:
    """Yield the class distribution of each split."""
    for index, (split, counts) in enumerate(facts.counts.items()):
        total = sum(counts.values())
        if not total:
            continue
        rows = [Row(name, count, f"{count:,} ({count / total:.0%})") for name, count in counts.items()]
        fewest, most = min(counts, key=counts.__getitem__), max(counts, key=counts.__getitem__)
        caption = (
            f"{total:,} images of {len(counts)} classes in {split}: "
            f"most of {most} ({counts[most]:,}), fewest of {fewest} ({counts[fewest]:,})."
        )
        yield Figure(
            name=f"classes-{index}",
            title=f"Classes in {split}",
            drawing=bars(caption, rows[:40]),
            caption=caption,
            checks=frozenset({"max_class_imbalance", "min_class_count"}),
            table=Table.of(("class", "images"), [(name, count) for name, count in counts.items()]),
        )


def parameters_figures(facts: Parameters) -> Iterator[Figure]:
    """Yield what trains, by what it belongs to."""
    parts = {name: count for name, count in facts.breakdown().items() if count and name != "frozen"}
    if not parts:
        return
    share = facts.trainable_total / facts.total if facts.total else 0.0
    caption = f"{facts.trainable_total:,} of {facts.total:,} parameters train ({share:.2%})."
    yield _counts(
        "parameters", "What trains", caption, [*parts.items()], "max_trainable_params", "min_trainable_params"
    )


def ranks_figures(facts: Ranks) -> Iterator[Figure]:
    """Yield the size of the adapter at each rank."""
    counts = [(f"r = {each.rank}", each.count) for each in facts.counts]
    if counts:
        yield _counts("ranks", "Adapter by rank", "Parameters of the adapter at each rank.", counts, "rank_params")


def merging_figures(facts: Merging) -> Iterator[Figure]:
    """Yield the layers that merging moves most."""
    layers = [(each.name, each.deviation) for each in facts.layers if each.deviation]
    if layers:
        caption = f"Largest difference of a merged weight, by layer; worst is {layers[0][0]}."
        yield _deviations("merging", "Deviation of merged layers", caption, layers, "merge_atol")


def agreement_figures(facts: GradientAgreement) -> Iterator[Figure]:
    """Yield the tensors whose gradients deviate most."""
    tensors = [(short_name(each.name), each.relative) for each in facts.tensors if each.relative]
    if tensors:
        caption = f"Relative difference of the gradients, worst first; worst is {tensors[0][0]}."
        checks = ("grad_accumulation_rtol", "amp_rtol")
        yield _deviations("agreement", "Deviation of gradients", caption, tensors, *checks)


def checkpoint_figures(facts: Checkpoint) -> Iterator[Figure]:
    """Yield how much of each module came from the file."""
    modules = [each for each in facts.loading.modules if each.elements]
    if not modules:
        return
    loading = facts.loading
    share = loading.loaded_elements / loading.model_elements if loading.model_elements else 0.0
    caption = f"{share:.2%} of the model's elements came from {loading.file}; by module, in the order of the network."
    shares = [(each.name, each.loaded / each.elements) for each in modules]
    yield Figure(
        name="coverage",
        title="Checkpoint coverage by module",
        drawing=bars(caption, [Row(name, part, f"{part:.0%}") for name, part in shares]),
        caption=caption,
        checks=frozenset({"checkpoint_coverage", "max_missing_keys", "max_shape_mismatches", "backbone_matches_file"}),
        table=Table.of(("module", "elements", "from the file"), [(e.name, e.elements, e.loaded) for e in modules]),
    )


def _counts(name: str, title: str, caption: str, counts: Sequence[tuple[str, int]], *checks: str) -> Figure:
    return Figure(
        name=name,
        title=title,
        drawing=bars(caption, [Row(each, count, f"{count:,}") for each, count in counts]),
        caption=caption,
        checks=frozenset(checks),
        table=Table.of(("part", "parameters"), counts),
    )


def _deviations(name: str, title: str, caption: str, found: Sequence[tuple[str, float]], *checks: str) -> Figure:
    return Figure(
        name=name,
        title=title,
        drawing=bars(caption, [Row(each, value, readable(value)) for each, value in found[:_MOST]]),
        caption=caption,
        checks=frozenset(checks),
        table=Table.of(("name", "difference"), found),
    )
