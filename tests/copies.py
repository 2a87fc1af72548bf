"""A copy of this repository for experiments: change files, run commands, follow a page of ``docs``."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.databases import ROOT

_LEFT_OUT: Final = shutil.ignore_patterns(
    ".git",
    ".venv",
    "var",
    ".pytest_cache",
    ".hypothesis",
    ".env",
    "recordings",
    "build",
    "*.egg-info",
)
_BLOCK: Final = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy of the repository. Its own ``saas_app`` is the one that commands in it import."""

    root: Path

    @classmethod
    def make(cls, directory: Path) -> Copy:
        """Copy the working tree with its bytecode, except for what is generated, private or large."""
        shutil.copytree(ROOT, directory / "copy", ignore=_LEFT_OUT, symlinks=True)
        return cls(directory / "copy")

    def run(self, *command: str, expect: int = 0) -> str:
        """Run a program of the environment in the copy and return what it printed."""
        environment = {name: value for name, value in os.environ.items() if not _is_a_setting(name)}
        ran = subprocess.run(
            [Path(sys.executable).with_name(command[0]), *command[1:]],
            cwd=self.root,
            env={**environment, "PYTHONPATH": f"{self.root}"},
            capture_output=True,
            text=True,
            check=False,
        )
        told = ran.stdout + ran.stderr
        assert ran.returncode == expect, f"{' '.join(command)}: {ran.returncode}\n{told}"
        return told

    def test(self, *arguments: str) -> str:
        """Run tests of the copy, and return what pytest printed."""
        return self.run("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments)

    def apply(self, diff: str) -> str:
        """Apply a ``diff`` block of a page and return the path of the file that it names.

        Line numbers would go stale, so there are none: the lines around a change say where it goes.
        """
        header, _, hunks = diff.partition("\n")
        path = header.removeprefix("+++ ").strip()
        text = (self.root / path).read_text(encoding="utf-8")
        for hunk in hunks.split("@@\n"):
            lines = hunk.splitlines()
            before = "".join(f"{line[1:]}\n" for line in lines if line[:1] != "+")
            after = "".join(f"{line[1:]}\n" for line in lines if line[:1] != "-")
            assert text.count(before) == 1, f"{path} does not hold these lines once:\n{before}"
            text = text.replace(before, after)
        (self.root / path).write_text(text, encoding="utf-8")
        return path


def blocks_of(page: str) -> Iterator[tuple[str, str]]:
    """Yield the fenced blocks of a page of ``docs``: language and content, in order."""
    for block in _BLOCK.finditer((ROOT / "docs" / page).read_text(encoding="utf-8")):
        yield block[1], block[2]


def _is_a_setting(name: str) -> bool:
    return name.startswith(("LOGTO_", "APP_", "DATABASE_", "PYTEST_", "COV_"))
