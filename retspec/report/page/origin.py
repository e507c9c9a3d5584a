"""Where results come from: the facts beside the verdict, and everything else that tells one run from another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.report.page.criteria import Detail, details_of
from retspec.text.wording import duration

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from retspec.records import Provenance, Report

_SHORT = 12
"""Characters of a hash in the banner; the whole of it is further down."""


def facts_of(report: Report) -> list[tuple[str, str]]:
    """Return the facts of the banner: name and text, those without a text left out."""
    provenance = report.parts[0].provenance
    facts = [
        ("spec", report.file),
        ("model", _source(provenance, "model")),
        ("data", _source(provenance, "data")),
        ("device", provenance.device),
        ("dtype", provenance.dtype),
        ("seed", str(provenance.seed) if provenance.device else ""),
        ("commit", provenance.git_commit[:_SHORT]),
        ("checkpoint", provenance.checkpoint_sha256[:_SHORT]),
        ("started", f"{report.started.replace('T', ' ')} UTC"),
        ("took", duration(report.seconds)),
        ("exit code", str(report.exit_code)),
    ]
    return [(name, text) for name, text in facts if text]


def origins(parts: Iterable[Report]) -> list[tuple[str, Sequence[Detail]]]:
    """Return everything else that is known of each part, if anything is: its cell, and the facts."""
    return [(part.cell, found) for part in parts if (found := [*_origin(part.provenance)])]


def _source(provenance: Provenance, section: str) -> str:
    """Return what a section of the subject builds with, and from what: `timm vit_large_patch16_224`."""
    found = provenance.subject.get(section)
    if not isinstance(found, dict) or "source" not in found:
        return ""
    value = found.get("value")
    return f"{found['source']} {value}" if isinstance(value, str) else str(found["source"])


def _origin(provenance: Provenance) -> Iterator[Detail]:
    texts = {
        "spec, SHA-256": provenance.spec_sha256,
        "subject, SHA-256": provenance.subject_sha256,
        "config, SHA-256": provenance.config_sha256,
        "checkpoint, SHA-256": provenance.checkpoint_sha256,
        "adapter, SHA-256": provenance.adapter_sha256,
        **{f"{file}, SHA-256": found for file, found in provenance.predictions_sha256.items()},
        "git commit": provenance.git_commit,
        "platform": provenance.platform,
        "host": provenance.hostname,
        "threads": "" if provenance.threads is None else str(provenance.threads),
    }
    yield from (Detail(name, text) for name, text in texts.items() if text)
    for name, values in (("versions", provenance.versions), ("plugins", provenance.plugins)):
        if values:
            yield Detail(name, ", ".join(f"{key} {value}" for key, value in values.items()))
    yield from details_of(provenance.subject)
