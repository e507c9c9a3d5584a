"""`config_paths`."""

from __future__ import annotations

from retspec.facts import NamedPath, NamedPaths
from retspec.plugin import Count, Inconclusive, Observed, check


@check(
    direction="at most",
    unit="paths",
    default_limit=0,
    advice="Correct the path, or fetch the file. To leave out a key that names no file on this machine, list the "
    "other keys: `with: {keys: [...]}`.",
)
def config_paths(named_paths: NamedPaths) -> Observed[Count]:
    """Does every file exist that the training config names?

    Why it matters:
        A wrong path shows only when the training gets there: a missing validation table after the first epoch, a
        missing checkpoint after an hour in the queue of a cluster.

    Example:
        config_paths: {limit: 0, with: {keys: [train_csv, "data.*_dir"]}}

    What the number means:
        Paths in the config that exist neither relative to the spec's folder, nor to the config's, nor to the working
        directory. Folders that the training creates itself are left out, and so are URLs.
    """
    if named_paths.unmatched:
        raise Inconclusive(f"no text of the config has the key {', '.join(named_paths.unmatched)}")
    if not named_paths.paths:
        raise Inconclusive("no key of the config is called like a path; name them: `with: {keys: [...]}`")
    missing = [path for path in named_paths.paths if not path.found]
    there = [path.place for path in named_paths.paths if path.found]
    details = {"missing": [*map(_line, missing)], "looked in": list(named_paths.folders), "there": there}
    return Observed(len(missing), details)


def _line(path: NamedPath) -> str:
    return f"{path.place} {path.obstacle}" if path.obstacle else f"{path.place}: {path.value}"
