"""Rotating and revoking API clients, with real tokens of a real provider."""

from __future__ import annotations

from saas_app.runtime import Runtime
from tests.clients import text_of
from tests.integration.api_clients.conftest import Acme, Programs, shown
from tests.integration.records import actions_of


async def test_rotating_asks_for_confirmation(acme: Acme) -> None:
    machine = await acme.create()
    page = await acme.browser.text(f"{acme.clients}/{machine.id}/rotate")
    assert "The old secret is deleted immediately" in page


async def test_rotating_shows_a_new_secret_and_is_recorded(acme: Acme, runtime: Runtime) -> None:
    machine = await acme.create()

    answer = await acme.send(f"/{machine.id}/rotate")

    assert answer.headers["Cache-Control"] == "no-store"
    rotated = await shown(answer)
    assert rotated.id == machine.id
    assert rotated.secret != machine.secret
    assert "never" not in await acme.browser.text(acme.clients)
    assert await actions_of(runtime, acme.id) == ["api-client.create", "api-client.rotate"]


async def test_after_a_rotation_only_the_new_secret_gets_tokens(acme: Acme, programs: Programs) -> None:
    machine = await acme.create()
    at_work = await programs.connect(machine, acme.id)

    rotated = await shown(await acme.send(f"/{machine.id}/rotate"))

    status, refusal = await programs.ask(machine, acme.id)
    assert (status, refusal["error"]) == (401, "invalid_client")
    await (await programs.connect(rotated, acme.id)).call("GET", "/projects")
    await at_work.call("GET", "/projects")  # its token stays valid, as the page says
    assert [secret.value for secret in await acme.management.list_secrets(machine.id)] == [rotated.secret]


async def test_revoking_asks_for_confirmation(acme: Acme) -> None:
    machine = await acme.create("Robot")
    assert "Revoke Robot?" in await acme.browser.text(f"{acme.clients}/{machine.id}/revoke")


async def test_a_revoked_client_is_refused_at_its_next_request(acme: Acme, programs: Programs) -> None:
    machine = await acme.create()
    robot = await programs.connect(machine, acme.id)
    await robot.call("GET", "/projects")

    await acme.browser.post(f"{acme.clients}/{machine.id}/revoke")

    assert (await robot.json("GET", "/projects", 401))["code"] == "invalid-token"
    status, refusal = await programs.ask(machine, acme.id)
    assert (status, refusal["error"]) == (400, "invalid_client")
    assert await acme.management.find_application(machine.id) is None


async def test_a_revoked_client_is_no_longer_listed_and_the_revocation_is_recorded(
    acme: Acme, runtime: Runtime
) -> None:
    machine = await acme.create("Robot")
    path = f"{acme.clients}/{machine.id}/revoke"

    await acme.browser.post(path)

    listed = await acme.browser.text(acme.clients)
    assert "Robot was revoked." in listed
    assert machine.id not in listed
    assert (await actions_of(runtime, acme.id))[-1] == "api-client.revoke"
    await acme.browser.post(path, expect=404)


async def test_what_a_revoked_client_created_keeps_its_name(acme: Acme, programs: Programs) -> None:
    machine = await acme.create("Long gone")
    project = await (await programs.connect(machine, acme.id)).json(
        "POST", "/projects", 201, json={"name": "Kept"}
    )
    await acme.browser.post(f"{acme.clients}/{machine.id}/revoke")
    page = await acme.browser.follow(f"{acme.root}/projects/{project['id']}")
    assert "<dd>Long gone</dd>" in await text_of(page)


async def test_a_rotation_deletes_every_old_secret_whatever_its_name(acme: Acme) -> None:
    machine = await acme.create()
    for name in ("?x#y", "50 %", "é", "..%2f..", "plus+plus"):
        await acme.management.create_secret(machine.id, name)
    answer = await acme.send(f"/{machine.id}/rotate")
    rotated = await shown(answer)
    assert [secret.value for secret in await acme.management.list_secrets(machine.id)] == [rotated.secret]
    assert "still work" not in await text_of(answer)


async def test_a_secret_that_no_url_can_name_is_reported_and_nothing_else_is_deleted(acme: Acme) -> None:
    machine = await acme.create()
    for name in (".", ".."):
        await acme.management.create_secret(machine.id, name)
    answer = await acme.send(f"/{machine.id}/rotate")
    assert "2 old secrets still work." in await text_of(answer)
    assert await acme.management.find_application(machine.id) is not None
    assert len(await acme.management.list_secrets(machine.id)) == 3
