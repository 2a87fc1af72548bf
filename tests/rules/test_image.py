"""The image contains the application alone, and needs neither root nor a file system to write to."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import NamedTuple

import pytest

from saas_app.config import MIGRATIONS, TEMPLATES
from tests.databases import ROOT
from tests.rules.test_lock import PIN, PRODUCT

pytestmark = pytest.mark.one_database

USER_ID = 10001
GENERATED = "**/__pycache__"


class Instruction(NamedTuple):
    """One instruction of the Dockerfile, such as COPY, with everything behind it."""

    name: str
    rest: str


def stages() -> list[list[Instruction]]:
    """Return the instructions of each stage of the Dockerfile."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", "", text).splitlines()
    found: list[list[Instruction]] = []
    for name, _, rest in (line.partition(" ") for line in lines if line.strip()):
        if name == "FROM":
            found.append([])
        found[-1].append(Instruction(name, rest))
    return found


def values(stage: list[Instruction], name: str) -> list[str]:
    """Return what stands behind the instructions with this name."""
    return [instruction.rest for instruction in stage if instruction.name == name]


def copied(stage: list[Instruction]) -> set[str]:
    """Return the files and folders that a stage copies from the build context."""
    lines = [line.split() for line in values(stage, "COPY") if not line.startswith("--from=")]
    return {source for *sources, _target in lines for source in sources}


def test_what_is_copied_exists_and_is_all_that_the_build_context_contains() -> None:
    builder, final = stages()
    everything, *exceptions = [
        line
        for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
        if not line.startswith("#")
    ]

    assert copied(final) == set()
    assert everything == "*"
    assert set(exceptions) == {f"!{source}" for source in copied(builder)} | {GENERATED}
    assert [source for source in copied(builder) if not (ROOT / source).exists()] == []


def test_the_application_finds_its_templates_and_migrations() -> None:
    _builder, final = stages()
    lines = [line.split() for line in values(final, "COPY")]

    for folder in ("saas_app", TEMPLATES.name, MIGRATIONS.name):
        assert ["--from=builder", f"/app/{folder}", folder] in lines
    assert values(final, "WORKDIR") == ["/app"]


def test_compilers_and_caches_stay_in_the_first_stage() -> None:
    builder, final = stages()

    assert "PIP_NO_CACHE_DIR=1" in " ".join(values(builder, "ENV"))
    assert any("--require-hashes --only-binary :all:" in line for line in values(builder, "RUN"))
    assert not re.search(r"\bpip\b|\bapt-get\b|\bcurl\b", " ".join(values(final, "RUN")))
    assert {line.split()[0] for line in values(builder, "FROM") + values(final, "FROM")} == {
        "python:3.13-slim"
    }


def test_the_image_runs_as_a_user_without_privileges() -> None:
    """The user is a number, because Kubernetes cannot tell whether a name is root."""
    _builder, final = stages()

    assert values(final, "USER") == [f"{USER_ID}:{USER_ID}"]
    assert f"useradd --uid {USER_ID} --user-group" in " ".join(values(final, "RUN"))


def test_the_labels_name_the_version_and_the_license() -> None:
    _builder, final = stages()
    labels = dict(
        re.findall(r'org\.opencontainers\.image\.(\w+)="([^"]*)"', " ".join(values(final, "LABEL")))
    )
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    assert labels["version"] == project["version"]
    assert labels["licenses"] == project["license"]
    assert labels["revision"] == "${REVISION}"
    assert "REVISION=unknown" in values(final, "ARG")


def test_the_bill_of_materials_names_every_locked_package(tmp_path: Path) -> None:
    document = tmp_path / "workroom.cdx.json"
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8").replace("\\\n", "")
    command = re.search(r"cyclonedx_py (requirements .*)--output-file", makefile)
    assert command is not None
    options = [*command[1].split(), "--output-file", str(document), PRODUCT.name]

    subprocess.run([sys.executable, "-W", "ignore", "-m", "cyclonedx_py", *options], cwd=ROOT, check=True)

    components = json.loads(document.read_text(encoding="utf-8"))["components"]
    named = {(component["name"], component["version"]) for component in components}
    assert named == set(PIN.findall(PRODUCT.read_text(encoding="utf-8")))
