"""``saas-app doctor`` asks the application, and checks what Logto knows of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from saas_app.logto import ManagementClient
from saas_app.operations.env_file import read_env_file
from tests.commands import run
from tests.integration.operations.doctor.installation import Installation, answering, doctor, only
from tests.processes import free_port


def test_an_application_that_is_down_is_reported(installation: Installation, tmp_path: Path) -> None:
    env_file = tmp_path / "other.env"
    other = {**installation.stored, "APP_URL": f"http://localhost:{free_port()}"}
    for name in ("LOGTO_APP_ID", "LOGTO_APP_SECRET", "LOGTO_WEBHOOK_SIGNING_KEY"):
        del other[name]
    assert run("provision", "--write-env", env_file, **only(other)).exit_code == 0
    try:
        report = doctor(**read_env_file(env_file))
    finally:
        assert run("provision", **only(installation.stored)).exit_code == 0

    assert list(report.failed) == ["address", "webhook"], report.output
    assert "nothing responds" in report.failed["address"]
    assert "→ saas-app serve" in report.failed["address"]
    assert "Logto cannot reach" in report.failed["webhook"]


def test_another_server_at_the_applications_address_is_reported(installation: Installation) -> None:
    report = installation.doctor(APP_URL=installation.provider.endpoint)

    assert "something other than Workroom responds" in report.failed["address"]
    assert "redirect URI" in report.failed["application"]
    assert "webhook" in report.failed["webhook"]
    assert "→ saas-app provision" in report.failed["application"]


@pytest.mark.parametrize(
    ("status", "found", "remedy"),
    [
        (401, "rejects Logto's signature", "restart it"),
        (404, "does not recognize the webhook", "restart it"),
        (502, "returned status 502 to Logto", "the log of Workroom and the proxy"),
    ],
)
def test_a_webhook_that_the_application_rejects_is_reported(
    installation: Installation, status: int, found: str, remedy: str
) -> None:
    answers = {"/readyz": (200, '{"database": "ok"}'), "/webhooks/logto": (status, "{}")}
    with answering(answers) as url:

        async def register(client: ManagementClient) -> str:
            events = next(
                hook.events for hook in await client.list_hooks() if hook.url.startswith(installation.url)
            )
            return (await client.create_hook("Another", f"{url}/webhooks/logto", events)).signing_key

        report = installation.doctor(APP_URL=url, LOGTO_WEBHOOK_SIGNING_KEY=installation.ask(register))

    assert found in report.failed["webhook"]
    assert remedy in report.failed["webhook"]


def test_a_database_that_the_running_application_cannot_reach_is_reported(installation: Installation) -> None:
    with answering({"/readyz": (503, "{}")}) as url:
        assert "cannot reach its database" in installation.doctor(APP_URL=url).failed["address"]


def test_an_application_secret_that_is_no_longer_valid_is_reported(installation: Installation) -> None:
    report = installation.doctor(LOGTO_APP_SECRET="wrong-one")

    assert list(report.failed) == ["application"]
    assert "LOGTO_APP_SECRET is no longer valid" in report.failed["application"]


def test_a_disabled_webhook_is_reported(installation: Installation) -> None:
    async def switch(client: ManagementClient, *, enabled: bool) -> None:
        (hook,) = (hook for hook in await client.list_hooks() if hook.url.startswith(installation.url))
        await client._body("PATCH", f"/hooks/{hook.id}", {"enabled": enabled})

    installation.ask(lambda client: switch(client, enabled=False))
    try:
        report = installation.doctor()
    finally:
        installation.ask(lambda client: switch(client, enabled=True))

    assert list(report.failed) == ["webhook"]
    assert "it is disabled" in report.failed["webhook"]
