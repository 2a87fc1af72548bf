"""The lock files pin the same versions for every Python, and the image gets only what the product needs."""

from __future__ import annotations

import re
import tomllib

from tests.databases import ROOT

NAME = re.compile(r"[A-Za-z0-9._-]+")
PIN = re.compile(r"^([a-z0-9._-]+)(?:\[[^\]]*\])?==(\S+)", re.MULTILINE)
PRODUCT, DEVELOPMENT = ROOT / "requirements.lock", ROOT / "requirements-dev.lock"


def test_each_direct_dependency_is_locked_to_one_version_for_every_python() -> None:
    for project, locks in (
        ("pyproject.toml", [PRODUCT]),
        ("local_logto/pyproject.toml", [PRODUCT, DEVELOPMENT]),
    ):
        pins = [pin for lock in locks for pin in PIN.findall(lock.read_text())]
        versions = {
            name: [version for pinned, version in pins if pinned == name] for name in _needed(project)
        }
        assert {name: found for name, found in versions.items() if len(found) != 1} == {}


def test_the_image_contains_nothing_that_only_the_provider_or_the_tests_need() -> None:
    installed = {name for name, _version in PIN.findall(PRODUCT.read_text())}
    assert not installed & {"argon2-cffi", "joserfc", "phonenumbers", "pyotp", "segno", "pytest"}
    assert "local_logto" not in (ROOT / "Dockerfile").read_text()
    assert DEVELOPMENT.name not in (ROOT / "Dockerfile").read_text()


def _needed(path: str) -> list[str]:
    project = tomllib.loads((ROOT / path).read_text())["project"]
    extras = [line for lines in project.get("optional-dependencies", {}).values() for line in lines]
    return sorted(NAME.match(line).group().lower() for line in (*project["dependencies"], *extras))  # type: ignore[union-attr]
