"""Check out a spec at a git revision, with the files that it may refer to."""

from __future__ import annotations

import os
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from retspec.characters import one_line, quoted
from retspec.errors import SpecError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_NEEDED = (".yaml", ".yml", ".json", ".py")
"""Files that a spec may need before anything is measured: specs, configs, baselines, plugins. Data is not copied."""


@dataclass(frozen=True)
class Revision:
    """A spec as it is, or as it was: the file, and where the other files of its revision are."""

    spec: Path
    top: Path | None = None
    """The root of the working tree, for a spec that was copied from a revision."""
    tree: Path | None = None
    """The copy of that root."""

    def at(self, file: Path) -> Path:
        """Return where a file of the working tree is at this revision; the file itself, if it is not there."""
        if self.top is None or self.tree is None or not file.is_relative_to(self.top):
            return file
        then = self.tree / file.relative_to(self.top)
        return then if then.is_file() else file


@contextmanager
def checked_out(place: str) -> Iterator[Revision]:
    """Yield a spec: the file itself, or for `REV:path` its copy from that git revision.

    The path in `REV:path` is relative to the root of the repository, and in `REV:./path` to the working directory, as
    in git (https://git-scm.com/docs/gitrevisions). Problems of such a spec are reported under the name `REV:path`.
    Raises UsageError for a file, a revision or a path that does not exist.
    """
    if Path(place).exists():
        yield Revision(Path(place))
        return
    revision, colon, path = place.partition(":")
    if not (revision and colon and path):
        raise UsageError(f"there is no file {quoted(place)}; give a spec, or one at a git revision as REV:path")
    commit = _git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    if not commit:
        raise UsageError(f"{quoted(place)}: git knows no revision {quoted(revision)} here, and there is no such file")
    inside = _from_root(path)
    with tempfile.TemporaryDirectory(prefix="retspec-") as folder:
        root = Path(folder).resolve()
        _copy(commit.strip(), root / "tree", root / "index")
        if not (root / "tree" / inside).is_file():
            raise UsageError(f"{quoted(place)}: there is no file {quoted(inside)} at {revision}")
        with _reported_as(f"{root / 'tree'}{os.sep}", f"{revision}:"):
            yield Revision(root / "tree" / inside, _top().resolve(), root / "tree")


def _from_root(path: str) -> str:
    prefix = _require_git("rev-parse", "--show-prefix").rstrip("\n") if path.startswith(("./", "../")) else ""
    return os.path.normpath(f"{prefix}{path}")


def _top() -> Path:
    """Return the root of the working tree."""
    return Path(_require_git("rev-parse", "--show-toplevel").rstrip("\n"))


def _copy(commit: str, tree: Path, index: Path) -> None:
    """Write the files of a commit that a spec may need, through a separate index: the user's index stays as it is."""
    top = str(_top())
    # Do not download the large files of git-lfs: nothing goes over the network.
    variables = {"GIT_INDEX_FILE": str(index), "GIT_LFS_SKIP_SMUDGE": "1"}
    _require_git("-C", top, "read-tree", commit, variables=variables)
    listed = _require_git("-C", top, "ls-files", "-z", variables=variables)
    needed = "".join(f"{name}\0" for name in listed.split("\0") if name.endswith(_NEEDED))
    tree.mkdir()
    checkout = ("checkout-index", "-z", "--stdin", f"--prefix={tree}{os.sep}")
    _require_git("-C", top, *checkout, variables=variables, given=needed)


def _git(*arguments: str, variables: Mapping[str, str] | None = None, given: str = "") -> str | None:
    """Return the output of git, or None if it fails."""
    try:
        done = subprocess.run(  # noqa: S603 - the arguments are ours; a user's revision follows --end-of-options
            ["git", *arguments],  # noqa: S607 - the git that the user has
            input=given,
            env={**os.environ, **(variables or {})},
            capture_output=True,
            text=True,
            errors="surrogateescape",
            check=False,
        )
    except OSError as error:
        raise UsageError(f"a revision needs git, which cannot be started: {error.strerror}") from None
    return done.stdout if done.returncode == 0 else None


def _require_git(*arguments: str, variables: Mapping[str, str] | None = None, given: str = "") -> str:
    output = _git(*arguments, variables=variables, given=given)
    if output is None:
        raise UsageError(f"git refused: git {one_line(' '.join(arguments))}")
    return output


@contextmanager
def _reported_as(folder: str, name: str) -> Iterator[None]:
    """Replace a folder by another name in the problems of a SpecError."""
    try:
        yield
    except SpecError as error:
        raise SpecError(
            replace(
                problem,
                mark=replace(problem.mark, file=problem.mark.file.replace(folder, name)),
                message=problem.message.replace(folder, name),
            )
            for problem in error.problems
        ) from None
