"""The clients that ``make clients`` generates are typed, and their examples work with a running Workroom."""

from __future__ import annotations

import asyncio
import os
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.integration.api.programs import EXAMPLES, run
from tools.generate_clients import generate_python, generate_typescript

GENERATORS = ("openapi_python_client", "openapi_generator_cli", "deno")
DENO = Path(sys.executable).parent / "deno"
OUTPUT = [
    "3 tasks in Typed build",
    "version 2 is called Typed build, 1",
    "Typed build, 1: 3 open, 0 done",
    "403 permission-denied: The API-resource token does not include projects:delete.",
]

pytestmark = [pytest.mark.one_database, pytest.mark.timeout(300)]  # type checkers take half a minute, or more


@pytest.fixture(autouse=True, scope="module")
def _generators() -> None:
    """The generators. Without them the tests are skipped, or fail if ``REQUIRE_CLIENTS=1``."""
    if not all(map(find_spec, GENERATORS)):
        react = pytest.fail if os.environ.get("REQUIRE_CLIENTS") == "1" else pytest.skip
        react("The generated clients were skipped: their generators are missing. Install them: make clients")


async def test_the_python_client_is_typed_and_its_example_works(
    of_a_machine: dict[str, str], tmp_path: Path
) -> None:
    await asyncio.to_thread(generate_python, tmp_path / "python")
    example = EXAMPLES / "generated_client.py"

    check = [sys.executable, "-m", "mypy", "--strict", "--config-file=", example]
    checked = await asyncio.to_thread(run, check, {"MYPYPATH": str(tmp_path / "python")}, tmp_path)
    given = {**of_a_machine, "PYTHONPATH": str(tmp_path / "python")}
    done = await asyncio.to_thread(run, [sys.executable, example], given, tmp_path)

    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == OUTPUT


async def test_the_typescript_client_is_typed_and_its_example_works(
    of_a_machine: dict[str, str], tmp_path: Path
) -> None:
    await asyncio.to_thread(generate_typescript, tmp_path / "typescript")
    example = EXAMPLES / "generated_client.ts"
    given = {**of_a_machine, "DENO_DIR": str(tmp_path / "deno"), "DENO_NO_UPDATE_CHECK": "1"}
    options = ["--config", tmp_path / "typescript/deno.json"]

    # --check compiles with TypeScript's strict rules before the program runs
    command = [DENO, "run", "--check", *options, "--allow-env", "--allow-net", example]
    done = await asyncio.to_thread(run, command, given, tmp_path)

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == OUTPUT
