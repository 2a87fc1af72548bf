"""Contributors can rely on the guides: commands, make targets, workflows, hooks and editor settings exist."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from click.testing import CliRunner

from saas_app.cli import main
from tests.databases import ROOT

pytestmark = pytest.mark.one_database

GUIDES = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "docs/operations.md")
YAML_FILES = sorted([*ROOT.glob(".github/**/*.yml"), ROOT / ".pre-commit-config.yaml", ROOT / "compose.yaml"])


def targets() -> set[str]:
    """Return the targets of the Makefile that have a help text."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z-]+):.*?## .", makefile, re.MULTILINE))


def made(text: str) -> set[str]:
    """Return the make targets that the code in a text runs."""
    return set(re.findall(r"(?:^|`|run: |entry: |&& |\d )make (?!\.\.\.|\$)([a-z-]+)", text, re.MULTILINE))


def test_every_target_is_in_the_help_and_is_phony() -> None:
    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)

    assert phony is not None
    assert set(phony.group(1).split()) == targets()
    for target in targets():
        assert re.search(rf"^  {target} +[A-Z]", shown, re.MULTILINE), target
        known = subprocess.run(["make", "-n", target, "NAME=x"], cwd=ROOT, capture_output=True, check=False)
        assert known.returncode == 0, known.stderr


@pytest.mark.parametrize("path", YAML_FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_yaml_files_are_valid_and_name_targets_that_exist(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    assert isinstance(yaml.safe_load(text), dict)
    assert made(text) <= targets()


def test_the_workflow_runs_the_gate_and_every_supported_python() -> None:
    workflow: dict[Any, Any] = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))
    jobs = workflow["jobs"]
    runs = {name: [step.get("run", "") for step in job["steps"]] for name, job in jobs.items()}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    supported = {text.rsplit(" ")[-1] for text in project["classifiers"] if ":: Python :: 3." in text}

    assert set(workflow[True]) == {"push", "pull_request"}  # YAML 1.1 reads the key "on" as a boolean
    assert workflow["permissions"] == {"contents": "read"}
    assert "bash .ci/run" in runs["gate"]
    assert {"postgres", "redis"} <= set(jobs["gate"]["services"])
    assert any("make test" in run for run in runs["versions"])
    assert set(jobs["versions"]["strategy"]["matrix"]["python"]) == supported


def test_hooks_call_programs_of_the_environment_or_make() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
    scripts = Path(sys.executable).parent
    for hook in (hook for repo in hooks for hook in repo["hooks"]):
        program, *arguments = hook["entry"].split()
        if program != "make":
            assert program.startswith(".venv/bin/")
            assert (scripts / Path(program).name).exists(), program
        for argument in arguments:
            if argument.startswith("tests/"):
                assert (ROOT / argument).exists(), argument


def test_the_dev_container_is_valid() -> None:
    container = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text(encoding="utf-8"))

    assert container["postCreateCommand"] == "make setup"
    assert container["forwardPorts"] == [3000, 3001, 3002]


@pytest.mark.parametrize("guide", GUIDES)
def test_commands_in_the_guides_exist(guide: str) -> None:
    text = (ROOT / guide).read_text(encoding="utf-8")
    scripts = Path(sys.executable).parent

    assert made(text) <= targets()
    for line in re.findall(r"\.venv/bin/([a-z][a-z -]*)", text):
        program, *subcommands = line.split()
        assert (scripts / program).exists(), program
        if program == "saas-app" and subcommands:
            assert main.get_command(click.Context(main), subcommands[0]) is not None, line


def test_lock_files_contain_neither_comments_nor_urls() -> None:
    for lock in ROOT.glob("requirements*.lock"):
        assert not re.search(r"^#|https?://", lock.read_text(encoding="utf-8"), re.MULTILINE), lock.name


def test_the_version_is_the_same_everywhere() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    shown = CliRunner().invoke(main, ["--version"], prog_name="saas-app").stdout

    assert shown.strip() == f"saas-app {version}"
    assert f"({version.rpartition('.')[0]})" in (ROOT / "SECURITY.md").read_text(encoding="utf-8")


def test_packages_are_marked_as_typed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

    assert (ROOT / "saas_app/py.typed").exists()
    assert "py.typed" in project["tool"]["setuptools"]["package-data"]["saas_app"]
