"""`output_dir_writable`."""

from __future__ import annotations

from retspec.facts import OutputFolders
from retspec.plugin import Inconclusive, Observed, check
from retspec.subjects.config_paths import OUTPUT_FOLDERS


@check(
    direction="equal",
    default_limit=True,
    advice="Choose another folder, or make the one that the details name writable for whoever runs the training.",
)
def output_dir_writable(output_folders: OutputFolders) -> Observed[bool]:
    """Can the training write its results?

    Why it matters:
        Many trainings write for the first time after an epoch. One that cannot has learned for nothing.

    Example:
        output_dir_writable: true

    What the number means:
        True when every folder for output exists or can be made, and a file was made and removed in it or in the nearest
        folder above it that exists. Nothing is left behind. A relative path starts in the working directory.
    """
    obstacles = [f"{each.place}: {each.obstacle}" for each in output_folders.folders if each.obstacle]
    if not obstacles and output_folders.unresolved:
        raise Inconclusive(output_folders.unresolved[0])
    if not output_folders.folders:
        usual = ", ".join(OUTPUT_FOLDERS)
        raise Inconclusive(f"the config has none of the keys {usual}; name the folder: `with: {{path: ...}}`")
    folders = [f"{each.place}: {each.path}" for each in output_folders.folders]
    return Observed(not obstacles, {"not writable": obstacles, "folders": folders})
