"""`output_dir_writable`."""

from __future__ import annotations

from retspec.facts import OutputFolders
from retspec.plugin import Inconclusive, Observed, check
from retspec.subjects.config_paths import OUTPUT_FOLDERS


@check(
    direction="equal",
    default_limit=True,
    advice="Choose another folder, or make the one in the details writable for the user who runs the training.",
)
def output_dir_writable(output_folders: OutputFolders) -> Observed[bool]:
    """Can the training write its results?

    Why it matters:
        Many trainings write for the first time after an epoch. One that cannot write loses that epoch.

    Example:
        output_dir_writable: true

    What the number means:
        True when every output folder exists or can be created, and a file could be created and removed in it, or in the
        nearest folder above it that exists. Nothing is left behind. A relative path starts in the working directory.
    """
    obstacles = [f"{each.place}: {each.obstacle}" for each in output_folders.folders if each.obstacle]
    if not obstacles and output_folders.unresolved:
        raise Inconclusive(output_folders.unresolved[0])
    if not output_folders.folders:
        usual = ", ".join(OUTPUT_FOLDERS)
        raise Inconclusive(f"the config has none of the keys {usual}; name the folder: `with: {{path: ...}}`")
    folders = [f"{each.place}: {each.path}" for each in output_folders.folders]
    return Observed(not obstacles, {"not writable": obstacles, "folders": folders})
