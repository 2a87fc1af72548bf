"""``saas-app token`` prints a token, and refusals are one line without a secret."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import sys
import termios

import pytest
from click.testing import Result

from saas_app.config import Settings
from saas_app.logto import ManagementClient
from saas_app.rbac.permissions import Role
from saas_app.runtime import Runtime
from tests.clients import Machine
from tests.commands import run as command
from tests.factories import Factory
from tests.processes import Provider
from tests.tokens import scopes_of, tenant_of

pytestmark = pytest.mark.one_database


async def run(*arguments: str, **given: str) -> Result:
    """Run the command with exactly this environment, and without a terminal.

    It runs in a thread, because it runs its own event loop.
    """
    removed = dict.fromkeys(os.environ.keys() - given.keys())
    return await asyncio.to_thread(command, "token", *arguments, **{**removed, **given})


@pytest.fixture
async def acme(make: Factory) -> str:
    return await make.organization("Acme", admin=await make.person())


@pytest.fixture
async def machine(make: Factory, acme: str) -> Machine:
    return await make.machine(acme)


async def assert_is_token_of(runtime: Runtime, printed: str, organization_id: str, machine: Machine) -> None:
    """Check that the output is a token and nothing else, and that the API accepts it for the client."""
    (token,) = printed.splitlines()
    tenant = await tenant_of(runtime, token, organization_id)
    assert (tenant.principal.subject, tenant.principal.is_machine) == (machine.id, True)
    assert tenant.granted == set(scopes_of(Role.INTEGRATION))


async def test_with_the_management_api_the_id_of_a_client_is_enough(
    provider: Provider, runtime: Runtime, acme: str, machine: Machine
) -> None:
    done = await run("--client", machine.id, **provider.environment)
    assert (done.exit_code, done.stderr) == (0, "")
    await assert_is_token_of(runtime, done.stdout, acme, machine)


async def test_a_unique_name_is_enough(
    provider: Provider, runtime: Runtime, management: ManagementClient, make: Factory, acme: str
) -> None:
    machine, other = await make.machine(acme), await make.machine(acme)
    for made, name in ((machine, f"Sync {acme}"), (other, f"Sync {acme} 2")):
        await management._body("PATCH", f"/applications/{made.id}", {"name": name})
    organization = (await management.get_organization(acme)).name
    done = await run("--client", f"Sync {acme}", "--organization", organization, **provider.environment)
    await assert_is_token_of(runtime, done.stdout, acme, machine)


async def test_without_the_management_api_the_ids_and_the_secret_are_needed(
    provider: Provider, runtime: Runtime, acme: str, machine: Machine
) -> None:
    done = await run(
        "--client",
        machine.id,
        "--organization",
        acme,
        LOGTO_ENDPOINT=provider.endpoint,
        WORKROOM_CLIENT_SECRET=machine.secret,
    )
    await assert_is_token_of(runtime, done.stdout, acme, machine)

    unnamed = await run("--client", machine.id, LOGTO_ENDPOINT=provider.endpoint)
    assert "--organization" in _line(unnamed)


async def test_without_a_secret_and_a_terminal_the_command_names_the_variable(
    provider: Provider, acme: str, machine: Machine
) -> None:
    done = await run("--client", machine.id, "--organization", acme, LOGTO_ENDPOINT=provider.endpoint)
    assert "WORKROOM_CLIENT_SECRET" in _line(done)


async def test_at_a_terminal_the_command_asks_for_the_secret(
    provider: Provider, runtime: Runtime, acme: str, machine: Machine
) -> None:
    terminal, side = pty.openpty()
    with os.fdopen(terminal, "r+b", buffering=0) as keyboard:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "saas_app", "token", "--client", machine.id, "--organization", acme),
            env={"PATH": os.environ["PATH"], "LOGTO_ENDPOINT": provider.endpoint},
            stdin=side,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(side)
        async with asyncio.timeout(60):
            shown = b""
            while b"Secret: " not in shown:
                shown += await asyncio.to_thread(keyboard.read, 100)
            keyboard.write(machine.secret.encode() + b"\n")
            printed, _ = await process.communicate()
    await assert_is_token_of(runtime, printed.decode(), acme, machine)


async def test_refusals_are_one_line_without_a_secret(
    provider: Provider, make: Factory, acme: str, machine: Machine
) -> None:
    elsewhere = await make.organization("Globex", admin=await make.person())
    wrong = f"{machine.secret}x"
    for arguments, secret, told in (
        ((acme,), wrong, "invalid_client"),
        ((elsewhere,), machine.secret, f"does not belong to the organization {elsewhere}"),
    ):
        done = await run(
            "--client",
            machine.id,
            "--organization",
            *arguments,
            LOGTO_ENDPOINT=provider.endpoint,
            WORKROOM_CLIENT_SECRET=secret,
        )
        line = _line(done)
        assert told in line
        assert machine.secret not in line


async def test_an_ambiguous_name_is_rejected(
    provider: Provider, management: ManagementClient, make: Factory, acme: str
) -> None:
    name = f"Twins of {acme}"
    for made in (await make.machine(acme), await make.machine(acme)):
        await management._body("PATCH", f"/applications/{made.id}", {"name": name})
    assert "Several API clients match" in _line(await run("--client", name, **provider.environment))
    assert "No API client" in _line(await run("--client", "Nobody", **provider.environment))


async def test_only_api_clients_of_an_organization_get_a_token(
    provider: Provider, settings: Settings, acme: str
) -> None:
    for client_id in (settings.logto_app_id, provider.management_app_id):
        assert "No API client" in _line(await run("--client", client_id, **provider.environment))


def _line(done: Result) -> str:
    """Return the only line of a refusal."""
    assert (done.exit_code, done.stdout) == (1, ""), done.stdout + done.stderr
    (line,) = done.stderr.splitlines()
    return line
