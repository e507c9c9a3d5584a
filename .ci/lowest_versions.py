"""Print, as constraints for pip, the lowest version of every dependency that pyproject.toml declares.

With `--installed`, compare them instead with what is installed beside this interpreter; the exit code is 1 where one
differs. Standard library only: it runs before anything is installed.
"""

from __future__ import annotations

import re
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_BOUND = re.compile(r"(?P<name>[A-Za-z0-9._-]+)>=(?P<version>[0-9.]+)")


def lowest(project: Path) -> dict[str, str]:
    """Return the lowest version of every dependency, those of the extras included, by its name."""
    declared = tomllib.loads(project.read_text(encoding="utf-8"))["project"]
    extras = declared["optional-dependencies"].values()
    requirements = [*declared["dependencies"], *(requirement for extra in extras for requirement in extra)]
    bounds = map(_BOUND.fullmatch, requirements)
    return {bound["name"]: bound["version"] for bound in bounds if bound}


def differences(versions: dict[str, str]) -> list[str]:
    """Return which installed packages are not the lowest, each in one line; 1.2 and 1.2.0 are the same."""
    return [
        f"{name} is {found}, the lowest is {wanted}"
        for name, wanted in versions.items()
        if _release(found := _installed(name)) != _release(wanted)
    ]


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "missing"


def _release(text: str) -> str:
    """Return a version without its local label and without zeros at its end."""
    return re.sub(r"(\.0)+$", "", text.partition("+")[0])


if __name__ == "__main__":
    versions = lowest(Path(sys.argv[1]))
    if "--installed" in sys.argv:
        sys.exit("\n".join(differences(versions)) or 0)
    print(*(f"{name}=={number}" for name, number in versions.items()), sep="\n")
