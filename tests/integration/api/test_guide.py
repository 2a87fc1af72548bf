"""The programs and commands of docs/api.md, run against the running product."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import sys
from pathlib import Path

import pytest

from saas_app.logto import ManagementClient
from saas_app.logto.http import open_http
from saas_app.operations.client_credentials import ClientCredentials, TokenRequest, fetch_token
from saas_app.web.json_api.reference import read_reference
from tests.clients import LogtoVisit
from tests.databases import ROOT
from tests.factories import Factory
from tests.integration.api.programs import EXAMPLES, PATIENCE, environment, run
from tests.processes import Application, Provider, free_port

pytestmark = pytest.mark.one_database

GUIDE = ROOT / "docs/api.md"


def commands() -> str:
    """Return the blocks of the guide that call curl, as one script."""
    blocks = re.findall(
        r"^```sh\n(.*?)^```", GUIDE.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE
    )
    return "set -eu\n" + "\n".join(block for block in blocks if "curl" in block)


async def test_every_curl_command_of_the_guide_works(
    served: Application, of_a_machine: dict[str, str], tmp_path: Path
) -> None:
    if shutil.which("curl") is None:
        pytest.skip("The guide's commands were skipped: curl is missing.")

    script = ["bash", "-o", "pipefail", "-c", commands()]
    done = await asyncio.to_thread(run, script, of_a_machine, tmp_path)

    assert done.returncode == 0, done.stdout + done.stderr
    assert f'resource_metadata="{served.url}/.well-known/oauth-protected-resource"' in done.stdout
    assert '"scopes_supported"' in done.stdout
    assert '"name":"Gripper firmware 4.3"' in done.stdout.replace(": ", ":")
    assert "idempotency-replayed: true" in done.stdout.lower()
    assert re.search(r'"ids":\s*\["[0-9a-f-]{36}",\s*"[0-9a-f-]{36}"\]', done.stdout)


async def test_the_commands_of_the_documentation_page_work(
    served: Application, of_a_machine: dict[str, str], tmp_path: Path
) -> None:
    if shutil.which("curl") is None:
        pytest.skip("The page's commands were skipped: curl is missing.")
    reference = read_reference(json.loads((ROOT / "docs/openapi.json").read_text(encoding="utf-8")))
    command_of = {each.id: each.command for group in reference.groups for each in group.operations}
    wanted = ("create_project", "list_projects", "get_access", "list_permissions")
    given = {**of_a_machine, "TOKEN": await _token(of_a_machine)}

    script = ["bash", "-e", "-c", "\n".join(command_of[name] for name in wanted)]
    done = await asyncio.to_thread(run, script, given, tmp_path)

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("Gripper firmware 4.2") == 2


async def test_the_example_for_an_api_client_works(of_a_machine: dict[str, str], tmp_path: Path) -> None:
    program = [sys.executable, str(EXAMPLES / "machine.py")]
    done = await asyncio.to_thread(run, program, of_a_machine, tmp_path)

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "20 tasks in Nightly build",
        "version 2 is called Nightly build, 1",
        "Nightly build, 1: 20 open, 0 done",
    ]


async def test_the_example_for_a_person_works(
    served: Application, provider: Provider, make: Factory, management: ManagementClient, tmp_path: Path
) -> None:
    person = await make.person("Ada")
    organization_id = await make.organization("Acme", editor=person)
    client_id = await _native_application(management)
    port = str(free_port())
    given = environment(served, provider, ORGANIZATION=organization_id, CLIENT_ID=client_id, PORT=port)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(EXAMPLES / "person.py"),
        env=given,
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    visit = LogtoVisit()
    try:
        async with asyncio.timeout(PATIENCE):
            assert await process.stdout.readline() == b"Sign in here:\n"
            address = (await process.stdout.readline()).decode().strip()
            callback = await visit.authorize(address, person, f"http://127.0.0.1:{port}/callback")
            await visit.open(callback)
            output, errors = await process.communicate()
    finally:
        await visit.close()
        if process.returncode is None:
            process.kill()
            await process.wait()

    assert process.returncode == 0, errors.decode()
    assert output.decode().splitlines() == ["member Ada: editor"]


async def _token(given: dict[str, str]) -> str:
    """Return a token of the API client in this environment."""
    async with open_http(PATIENCE) as http:
        credentials = ClientCredentials(given["CLIENT_ID"], given["CLIENT_SECRET"])
        wanted = TokenRequest(given["RESOURCE"], given["ORGANIZATION"], ["projects:read", "projects:write"])
        return await fetch_token(http, given["LOGTO"], credentials, wanted)


async def _native_application(management: ManagementClient) -> str:
    """Create the application that the guide asks its reader to create in Logto Console."""
    body = {
        "name": "Command line",
        "type": "Native",
        "oidcClientMetadata": {
            "redirectUris": ["http://127.0.0.1:8765/callback"],
            "postLogoutRedirectUris": [],
        },
    }
    created = await management._body("POST", "/applications", body)
    return str(created["id"])
