"""Compile the four lock files from both pyproject.toml files, with uv.

requirements.lock has the dependencies of Workroom, and requirements-dev.lock the additional ones for
development. requirements-bench.lock has the frameworks with which benchmarks compare it, and
requirements-clients.lock the generators of API clients. Locked versions do not change unless an option of
``uv pip compile`` says so, as in ``make lock ARGS="--upgrade-package quart"``.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

_ROOT: Final = Path(__file__).parents[1]
_PRODUCT, _DEVELOPMENT = "requirements.lock", "requirements-dev.lock"
_ON_TOP: Final = {"bench": "requirements-bench.lock", "clients": "requirements-clients.lock"}
"""The lock files of groups that only some commands install, in addition to those for development."""

_FORM: Final = ("--universal", "--generate-hashes", "--no-annotate", "--no-header", "--quiet")


def main(options: list[str]) -> None:
    """Write the files. Exits with a message if uv is missing or finds no compatible versions."""
    uv = shutil.which("uv")
    if uv is None:
        sys.exit("uv was not found. Install it, for example with: pipx install uv")
    compile_ = [uv, "pip", "compile", *_FORM, *options]
    _run([*compile_, "pyproject.toml", "--all-extras", "--group", "build", "--output-file", _PRODUCT])
    groups = ["--group", "pyproject.toml:dev", "--group", "local_logto/pyproject.toml:dev"]
    projects = ["pyproject.toml", "local_logto/pyproject.toml", "--all-extras"]
    left_out = _without(_PRODUCT)
    _run([*compile_, *projects, *groups, "--constraint", _PRODUCT, *left_out, "--output-file", _DEVELOPMENT])
    constraints = ["--constraint", _PRODUCT, "--constraint", _DEVELOPMENT]
    left_out = _without(_PRODUCT, _DEVELOPMENT)
    for group, lock in _ON_TOP.items():
        _run(
            [*compile_, "--group", f"pyproject.toml:{group}", *constraints, *left_out, "--output-file", lock]
        )


def _without(*locks: str) -> list[str]:
    """Return the options that leave out what ``locks`` contain, and our own provider."""
    texts = [(_ROOT / lock).read_text(encoding="utf-8") for lock in locks]
    names = {
        name for text in texts for name in re.findall(r"^([a-z0-9._-]+)(?:\[.*?\])?==", text, re.MULTILINE)
    }
    return [f"--no-emit-package={name}" for name in sorted(names | {"local-logto"})]


def _run(command: list[str]) -> None:
    environment = os.environ | {"UV_PYTHON": sys.executable}
    finished = subprocess.run(command, cwd=_ROOT, stdout=subprocess.DEVNULL, env=environment, check=False)  # noqa: S603
    if finished.returncode:
        sys.exit(finished.returncode)


if __name__ == "__main__":
    main(sys.argv[1:])
