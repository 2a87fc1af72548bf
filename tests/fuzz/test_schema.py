"""Random requests to every operation, by every kind of caller: all responses match the schema.

``FUZZ_EXAMPLES`` limits the cases per operation and phase. The seed is fixed, so that the same code gives the
same result; ``make fuzz`` uses a new seed and more examples. Only the admin, who has every permission, tries
the edges of every value; with ``FUZZ_EXAMPLES`` every caller does.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from saas_app.rbac.permissions import Carrier
from tests.fuzz.target import Target, running_target

EXAMPLES = os.environ.get("FUZZ_EXAMPLES") or "5"
PHASES = "examples,fuzzing,stateful"
EDGES = "coverage"  # the phase for the edges of values
SEED = os.environ.get("FUZZ_SEED", "1")
CONFIG = Path(__file__).with_name("schemathesis.toml")
_NAMES = {Carrier.API_TOKEN: "apiToken", Carrier.ORGANIZATION_TOKEN: "organizationToken"}


@pytest.fixture(scope="module")
async def target(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Target]:
    async with running_target(tmp_path_factory.mktemp("fuzz")) as running:
        yield running


@pytest.mark.parametrize("who", ["admin", "viewer", "machine", "stranger"])
@pytest.mark.timeout(3600)
async def test_every_response_to_random_requests_matches_the_schema(
    target: Target, tmp_path: Path, who: str
) -> None:
    caller = target.callers[who]
    tokens = {f"FUZZ_{_NAMES[carrier]}": token for carrier, token in caller.tokens.items()}
    environment = {
        **os.environ,
        **tokens,
        "FUZZ_ORGANIZATION": caller.organization_id,
        "SCHEMATHESIS_HOOKS": "tests.fuzz.hooks",
        "NO_COLOR": "1",
    }
    tries_edges = who == "admin" or bool(os.environ.get("FUZZ_EXAMPLES"))
    phases = f"{PHASES},{EDGES}" if tries_edges else PHASES
    report = tmp_path / "report.json"
    command = [
        sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIG),
        "run", f"{target.url}/api/openapi.json",
        "--checks", "all", "--phases", phases, "--max-examples", EXAMPLES, "--seed", SEED, "--workers", "1",
        "--exclude-path-regex", "/leave$", "--report", "json", "--report-json-path", str(report),
    ]  # fmt: skip
    fuzzer = await asyncio.create_subprocess_exec(
        *command, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await fuzzer.communicate()
    assert fuzzer.returncode == 0, output.decode()[-20_000:]
    assert json.loads(report.read_text())
