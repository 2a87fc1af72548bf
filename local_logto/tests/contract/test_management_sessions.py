"""A person's browser sessions and grants: how they are listed and ended, and what ends with them."""

from __future__ import annotations

from typing import Any

import pytest

from contract.client import LogtoBrowser
from contract.management import ManagementApi
from contract.oidc import Oidc, Tokens
from contract.people import App, Person
from contract.world import World


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


async def test_session_names_the_person_and_the_application(
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


async def test_person_who_never_signed_in_has_no_sessions_and_no_grants(
    api: ManagementApi, otto: Person
) -> None:
    assert (await api.get(f"/users/{otto.id}/sessions")).expect(200).body == {"sessions": []}
    assert (await api.get(f"/users/{otto.id}/grants")).expect(200).body == {"grants": []}


@pytest.mark.usefixtures("signed_in")
@pytest.mark.parametrize(("app_type", "number"), [("firstParty", 1), ("thirdParty", 0)])
async def test_grants_can_be_limited_to_a_type_of_application(
    api: ManagementApi, otto: Person, app_type: str, number: int
) -> None:
    reply = (await api.get(f"/users/{otto.id}/grants", appType=app_type)).expect(200)
    assert len(reply.body["grants"]) == number


async def test_unknown_type_of_application_is_refused(api: ManagementApi, otto: Person) -> None:
    reply = await api.get(f"/users/{otto.id}/grants", appType="nobodys")
    assert reply.refusal == (400, "guard.invalid_input")


async def test_ended_session_signs_the_browser_out_and_keeps_the_refresh_token(
    api: ManagementApi, browser: LogtoBrowser, oidc: Oidc, otto: Person, app: App, signed_in: Tokens
) -> None:
    uid = (await only_session(api, otto))["payload"]["uid"]
    (await api.delete(f"/users/{otto.id}/sessions/{uid}")).expect(204)
    reply = await browser.authorize(app, prompt="none")
    assert reply.redirect_parameters["error"] == "login_required"
    assert (await oidc.renew(signed_in)).status == 200


@pytest.mark.parametrize("target", ["all", "firstParty"])
async def test_grants_of_a_session_end_with_it_on_request(
    api: ManagementApi, oidc: Oidc, otto: Person, app: App, signed_in: Tokens, target: str
) -> None:
    uid = (await only_session(api, otto))["payload"]["uid"]
    (await api.delete(f"/users/{otto.id}/sessions/{uid}?revokeGrantsTarget={target}")).expect(204)
    assert (await oidc.renew(signed_in)).body["error"] == "invalid_grant"
    assert (await api.get(f"/users/{otto.id}/grants")).expect(200).body == {"grants": []}


@pytest.mark.usefixtures("signed_in")
async def test_session_cannot_be_ended_as_another_persons(
    api: ManagementApi, otto: Person, world: World
) -> None:
    uid = (await only_session(api, otto))["payload"]["uid"]
    reply = await api.delete(f"/users/{world.alice.id}/sessions/{uid}")
    assert reply.refusal == (404, "oidc.invalid_session_account_id")
    assert await only_session(api, otto)


async def test_unknown_session_cannot_be_ended(api: ManagementApi, otto: Person) -> None:
    reply = await api.delete(f"/users/{otto.id}/sessions/nope")
    assert reply.refusal == (404, "oidc.session_not_found")


async def test_tokens_end_with_their_grant(
    api: ManagementApi, oidc: Oidc, otto: Person, signed_in: Tokens
) -> None:
    path = f"/users/{otto.id}/grants/{(await only_grant(api, otto))['id']}"
    (await api.delete(path)).expect(204)
    assert (await oidc.renew(signed_in)).body["error"] == "invalid_grant"
    assert (await oidc.userinfo(signed_in.access_token)).status == 401


@pytest.mark.usefixtures("signed_in")
async def test_grant_cannot_be_ended_twice(api: ManagementApi, otto: Person) -> None:
    path = f"/users/{otto.id}/grants/{(await only_grant(api, otto))['id']}"
    (await api.delete(path)).expect(204)
    assert (await api.delete(path)).refusal == (404, "oidc.invalid_grant")


async def test_grant_cannot_be_ended_as_another_persons(
    api: ManagementApi, oidc: Oidc, otto: Person, world: World, signed_in: Tokens
) -> None:
    grant = (await only_grant(api, otto))["id"]
    (await api.delete(f"/users/{world.alice.id}/grants/{grant}")).expect(404)
    assert (await oidc.renew(signed_in)).status == 200
