"""Compile requirements.lock and requirements-dev.lock from both pyproject.toml files, with uv.

The first file has the dependencies of Workroom, the second the additional ones for development. Locked
versions do not change unless an option of ``uv pip compile`` says so, as in
``make lock ARGS="--upgrade-package quart"``.
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
_FORM: Final = ("--universal", "--generate-hashes", "--no-annotate", "--no-header", "--quiet")


def main(options: list[str]) -> None:
    """Write both files. Exits with a message if uv is missing or finds no compatible versions."""
    uv = shutil.which("uv")
    if uv is None:
        sys.exit("uv was not found. Install it, for example with: pipx install uv")
    compile_ = [uv, "pip", "compile", *_FORM, *options]
    _run([*compile_, "pyproject.toml", "--all-extras", "--group", "build", "--output-file", _PRODUCT])
    product = (_ROOT / _PRODUCT).read_text(encoding="utf-8")
    ours = sorted(set(re.findall(r"^([a-z0-9._-]+)(?:\[.*?\])?==", product, re.MULTILINE)))
    left_out = [f"--no-emit-package={name}" for name in (*ours, "local-logto")]
    groups = ["--group", "pyproject.toml:dev", "--group", "local_logto/pyproject.toml:dev"]
    projects = ["pyproject.toml", "local_logto/pyproject.toml", "--all-extras"]
    _run([*compile_, *projects, *groups, "--constraint", _PRODUCT, *left_out, "--output-file", _DEVELOPMENT])


def _run(command: list[str]) -> None:
    environment = os.environ | {"UV_PYTHON": sys.executable}
    finished = subprocess.run(command, cwd=_ROOT, stdout=subprocess.DEVNULL, env=environment, check=False)  # noqa: S603
    if finished.returncode:
        sys.exit(finished.returncode)


if __name__ == "__main__":
    main(sys.argv[1:])
