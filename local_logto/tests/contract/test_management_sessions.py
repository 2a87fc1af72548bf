"""A person's browser sessions and grants: listed, ended one by one, and what ends with them."""

from __future__ import annotations

from typing import Any

import pytest

from contract.client import LogtoBrowser
from contract.management import ManagementApi, Workshop
from contract.oidc import Oidc, Tokens
from contract.people import App, Person
from contract.world import World


@pytest.fixture
async def otto(workshop: Workshop) -> Person:
    return await workshop.person("otto")


@pytest.fixture
async def app(workshop: Workshop) -> App:
    return await workshop.application()


@pytest.fixture
async def signed_in(browser: LogtoBrowser, oidc: Oidc, otto: Person, app: App) -> Tokens:
    return await oidc.sign_in(browser, app, otto)


async def only_session(api: ManagementApi, person: Person) -> dict[str, Any]:
    [session] = (await api.get(f"/users/{person.id}/sessions")).expect(200).body["sessions"]
    assert isinstance(session, dict)
    return session


async def only_grant(api: ManagementApi, person: Person) -> dict[str, Any]:
    [grant] = (await api.get(f"/users/{person.id}/grants")).expect(200).body["grants"]
    assert isinstance(grant, dict)
    return grant


async def test_session_tells_who_signed_in_where(
    api: ManagementApi, otto: Person, app: App, signed_in: Tokens
) -> None:
    session = await only_session(api, otto)
    assert sorted(session) == ["accountId", "clientId", "expiresAt", "lastSubmission", "payload"]
    assert (session["accountId"], session["clientId"]) == (otto.id, app.id)
    payload = session["payload"]
    assert (payload["kind"], payload["accountId"]) == ("Session", otto.id)
    assert payload["exp"] == session["expiresAt"] // 1000
    grant = await only_grant(api, otto)
    assert payload["authorizations"][app.id]["grantId"] == grant["id"]
    assert session["lastSubmission"]["interactionEvent"] == "SignIn"
    assert session["lastSubmission"]["userId"] == otto.id


async def test_one_session_can_be_read(api: ManagementApi, otto: Person, signed_in: Tokens) -> None:
    session = await only_session(api, otto)
    reply = await api.get(f"/users/{otto.id}/sessions/{session['payload']['uid']}")
    assert reply.expect(200).body == session


async def test_grant_names_its_application(
    api: ManagementApi, otto: Person, app: App, signed_in: Tokens
) -> None:
    grant = await only_grant(api, otto)
    assert sorted(grant) == ["application", "expiresAt", "id", "payload"]
    assert sorted(grant["application"]) == ["id", "name"]
    assert grant["application"]["id"] == app.id
    payload = grant["payload"]
    assert (payload["kind"], payload["accountId"], payload["clientId"]) == ("Grant", otto.id, app.id)
    assert payload["exp"] - payload["iat"] == 180 * 24 * 3600


async def test_somebody_who_never_signed_in_has_neither(api: ManagementApi, otto: Person) -> None:
    assert (await api.get(f"/users/{otto.id}/sessions")).expect(200).body == {"sessions": []}
    assert (await api.get(f"/users/{otto.id}/grants")).expect(200).body == {"grants": []}


async def test_grants_are_told_by_whose_application_it_is(
    api: ManagementApi, otto: Person, signed_in: Tokens
) -> None:
    path = f"/users/{otto.id}/grants"
    assert len((await api.get(path, appType="firstParty")).expect(200).body["grants"]) == 1
    assert (await api.get(path, appType="thirdParty")).expect(200).body == {"grants": []}
    refused = (await api.get(path, appType="nobodys")).expect(400)
    assert refused.body["code"] == "guard.invalid_input"


async def test_ended_session_signs_the_browser_out_and_leaves_the_refresh_token(
    api: ManagementApi, browser: LogtoBrowser, oidc: Oidc, otto: Person, app: App, signed_in: Tokens
) -> None:
    uid = (await only_session(api, otto))["payload"]["uid"]
    (await api.delete(f"/users/{otto.id}/sessions/{uid}")).expect(204)
    reply = await browser.authorize(app, prompt="none")
    assert reply.redirect_parameters["error"] == "login_required"
    assert (await oidc.refresh(app, signed_in.refresh_token)).status == 200


@pytest.mark.parametrize("target", ["all", "firstParty"])
async def test_ended_session_takes_its_grants_along_when_asked(
    api: ManagementApi, oidc: Oidc, otto: Person, app: App, signed_in: Tokens, target: str
) -> None:
    uid = (await only_session(api, otto))["payload"]["uid"]
    (await api.delete(f"/users/{otto.id}/sessions/{uid}?revokeGrantsTarget={target}")).expect(204)
    assert (await oidc.refresh(app, signed_in.refresh_token)).body["error"] == "invalid_grant"
    assert (await api.get(f"/users/{otto.id}/grants")).expect(200).body == {"grants": []}


async def test_session_of_somebody_else_is_not_ended(
    api: ManagementApi, otto: Person, world: World, signed_in: Tokens
) -> None:
    uid = (await only_session(api, otto))["payload"]["uid"]
    reply = (await api.delete(f"/users/{world.alice.id}/sessions/{uid}")).expect(404)
    assert reply.body["code"] == "oidc.invalid_session_account_id"
    reply = (await api.delete(f"/users/{otto.id}/sessions/nope")).expect(404)
    assert reply.body["code"] == "oidc.session_not_found"
    assert await only_session(api, otto)


async def test_ended_grant_takes_its_tokens_along(
    api: ManagementApi, oidc: Oidc, otto: Person, app: App, signed_in: Tokens
) -> None:
    path = f"/users/{otto.id}/grants/{(await only_grant(api, otto))['id']}"
    (await api.delete(path)).expect(204)
    assert (await oidc.refresh(app, signed_in.refresh_token)).body["error"] == "invalid_grant"
    assert (await oidc.userinfo(signed_in.access_token)).status == 401
    assert (await api.delete(path)).expect(404).body["code"] == "oidc.invalid_grant"


async def test_grant_of_somebody_else_is_not_ended(
    api: ManagementApi, oidc: Oidc, otto: Person, app: App, world: World, signed_in: Tokens
) -> None:
    grant = (await only_grant(api, otto))["id"]
    (await api.delete(f"/users/{world.alice.id}/grants/{grant}")).expect(404)
    assert (await oidc.refresh(app, signed_in.refresh_token)).status == 200
