"""Runs the programs and commands of docs/api.md as its readers do."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from saas_app.operations.env_file import read_env_file
from tests.databases import ROOT
from tests.processes import Application, Provider

PATIENCE = 150  # seconds; a type checker takes most of them on a busy machine
EXAMPLES = ROOT / "docs/examples"


def environment(served: Application, provider: Provider, **given: str) -> dict[str, str]:
    """Return the variables that the guide asks its reader to set."""
    resource = read_env_file(served.env_file)["LOGTO_API_RESOURCE"]
    places = {"WORKROOM": served.url, "LOGTO": provider.endpoint, "RESOURCE": resource}
    return {"PATH": os.environ["PATH"], **places, **given}


def run(
    command: Sequence[str | Path], given: dict[str, str], folder: Path
) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder, with these variables and no others."""
    return subprocess.run(
        command, env=given, cwd=folder, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
