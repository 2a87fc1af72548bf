"""The code that is measured: this checkout, and another one to compare it with."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
_LOCK: Final = "requirements.lock"


@dataclass(frozen=True, slots=True)
class Checkout:
    """A folder with Workroom's code, the name under which its results are shown, and its commit."""

    name: str
    path: Path
    commit: str

    @property
    def python(self) -> str:
        """The interpreter: that of the folder's own environment, or else the one that runs this program."""
        own = self.path / ".venv/bin/python"
        return str(own) if own.exists() else sys.executable

    @property
    def environment(self) -> dict[str, str]:
        """The environment in which the interpreter imports the code of this folder and of no other."""
        return {"PYTHONSAFEPATH": "1", "PYTHONPATH": str(self.path)}


def this_checkout() -> Checkout:
    """Return the folder that contains this module."""
    return Checkout("workroom", ROOT, _commit_of(ROOT))


@contextmanager
def open_checkout(path_or_ref: str) -> Iterator[Checkout]:
    """Return the checkout at a path. A git reference gets a temporary worktree until the block ends.

    If the commit needs other packages than this one, the worktree gets an environment of its own.
    """
    if (path := Path(path_or_ref)).is_dir():
        yield Checkout("before", path.resolve(), _commit_of(path))
        return
    with tempfile.TemporaryDirectory() as name:
        worktree = Path(name) / "checkout"
        _git(ROOT, "worktree", "add", "--quiet", "--detach", str(worktree), path_or_ref)
        try:
            if (worktree / _LOCK).read_bytes() != (ROOT / _LOCK).read_bytes():
                _install_packages(worktree)
            yield Checkout("before", worktree, _commit_of(worktree))
        finally:
            _git(ROOT, "worktree", "remove", "--force", str(worktree))


def _install_packages(checkout: Path) -> None:
    """Create the environment of a checkout from its lock file. This takes about a minute."""
    environment = checkout / ".venv"
    subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
    install = [str(environment / "bin/python"), str(ROOT / "tools/install_locked.py"), str(checkout / _LOCK)]
    subprocess.run(install, check=True, stdout=2)  # its progress; the tables go to standard output


def _commit_of(path: Path) -> str:
    """Return the short name of the commit, with a plus sign if tracked files have changed since."""
    changed = _git(path, "status", "--porcelain", "--untracked-files=no")
    return _git(path, "rev-parse", "--short=7", "HEAD") + ("+" if changed else "")


def _git(path: Path, *arguments: str) -> str:
    finished = subprocess.run(
        ["git", "-C", str(path), *arguments], capture_output=True, text=True, env=os.environ, check=False
    )
    if finished.returncode:
        raise SystemExit(f"git {' '.join(arguments)}: {finished.stderr.strip()}")
    return finished.stdout.strip()
