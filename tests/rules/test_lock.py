"""What requirements.lock installs is the same on every interpreter."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
NAME = re.compile(r"[A-Za-z0-9._-]+")


def test_each_dependency_of_ours_is_locked_to_one_version_for_every_python() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = [line for lines in project["optional-dependencies"].values() for line in lines]
    ours = {NAME.match(line).group().lower() for line in (*project["dependencies"], *extras)}  # type: ignore[union-attr]
    pins = re.findall(
        r"^([a-z0-9._-]+)(?:\[[^\]]*\])?==(\S+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE
    )

    versions = {name: [version for pinned, version in pins if pinned == name] for name in sorted(ours)}

    assert {name: found for name, found in versions.items() if len(found) != 1} == {}
