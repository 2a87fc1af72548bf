"""``saas-app reconcile`` checks connections only while single sign-on is offered, and needs the keys."""

from __future__ import annotations

import asyncio
import sys

import pytest
from cryptography.fernet import Fernet

from saas_app.config import Settings
from tests.integration.killed import environment_of
from tests.integration.single_sign_on.company import Company
from tests.integration.single_sign_on.upkeep import at_logto


async def run_command(company: Company, settings: Settings, **given: str) -> tuple[int | None, str]:
    """Run ``saas-app reconcile`` with the keys of the application. Return its exit code and output."""
    names = ",".join(f"{server.address}:{server.port}" for server in settings.domain_nameservers)
    environment = {
        **environment_of(settings),
        "APP_URL": settings.app_url,
        "APP_ENCRYPTION_KEYS": ",".join(key.get_secret_value() for key in settings.encryption_keys),
        "LOGTO_APP_ID": settings.logto_app_id,
        "DOMAIN_NAMESERVERS": names,
        "SINGLE_SIGN_ON_SELF_SERVICE": "true",
    }
    command = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "saas_app", "reconcile", "--organization", company.id,
        env={**environment, **given}, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await command.communicate()
    return command.returncode, output.decode()


@pytest.mark.parametrize(("setting", "is_repaired"), [("true", True), ("false", False)])
async def test_the_command_checks_it_only_while_it_is_offered(
    required: Company, settings: Settings, setting: str, is_repaired: bool
) -> None:
    await required.management.set_sso_domains((await required.connection()).connector_id, ["other.example"])

    code, output = await run_command(required, settings, SINGLE_SIGN_ON=setting)

    assert code == 0, output
    assert ("had these domains in Logto: other.example" in output) is is_repaired
    assert ((await at_logto(required))[0] == [required.domain]) is is_repaired


@pytest.mark.parametrize("keys", ["", "not a key"])
async def test_the_command_needs_the_keys_of_the_application(
    required: Company, settings: Settings, keys: str
) -> None:
    code, output = await run_command(required, settings, SINGLE_SIGN_ON="true", APP_ENCRYPTION_KEYS=keys)

    assert code == 1
    assert "APP_ENCRYPTION_KEYS is missing or invalid" in output


async def test_the_command_changes_nothing_with_other_keys(required: Company, settings: Settings) -> None:
    before = await required.connector()
    other = Fernet.generate_key().decode()

    code, output = await run_command(required, settings, SINGLE_SIGN_ON="true", APP_ENCRYPTION_KEYS=other)

    assert code == 1
    assert "No key in APP_ENCRYPTION_KEYS opens the secret of its identity provider" in output
    assert await required.connector() == before
