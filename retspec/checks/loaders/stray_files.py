"""`stray_files`."""

from __future__ import annotations

from retspec.checks.loaders._reading import of_all
from retspec.facts import FilesOfLoader, LoaderFiles
from retspec.plugin import Count, Inconclusive, Observed, check


@check(
    direction="at most",
    unit="samples",
    default_limit=0,
    advice="Compare the folders in the details: a default of the script may win over the config, or an old path may be "
    "left in the code. Where data lies in several folders, as a cache does, name them all under `below`.",
)
def stray_files(loader_files: LoaderFiles) -> Observed[Count]:
    """Do the loaders read the data that the spec names?

    Why it matters:
        A script that takes its folder from elsewhere than the config trains on other images than those that were
        checked: last year's export, the set before it was cleaned. Nothing in its log tells.

    Example:
        stray_files: {limit: 0, with: {below: [data/APTOS2019]}}

    What the number means:
        Samples of the loaders of which a file is known, and none lies in or below the folders of `below`, or else of
        the folder of `data`; `below: ["${config.data_path}"]` takes one from your training config. Known are files that
        the dataset lists (`samples`, `paths`, a column of a table, by whatever name) and those that Python opens while
        16 items of each are read. A file beside them may lie elsewhere: a mask, a table of labels. No verdict where
        nothing is known of a loader: a stream, data in memory, files that compiled code opens (OpenCV) and no list
        names.
    """
    folders = [*loader_files.folders]
    strays = sum(each.stray for each in loader_files.loaders)
    unknown = [each.obstacle for each in loader_files.loaders if each.obstacle]
    if unknown and not strays:
        raise Inconclusive("; ".join(unknown))
    known = {each.loader: _known(each) for each in loader_files.loaders}
    found = [f"{each.loader}: {file}" for each in loader_files.loaders for file in each.shown]
    return Observed(strays, {"folders": folders, "files known": known, "elsewhere": found})


def _known(each: FilesOfLoader) -> str:
    return each.obstacle or of_all(each.known, each.items)
