"""Sessions and grants of a person, answer by answer as a running Logto gave them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from contract.client import LogtoBrowser
from contract.fixtures import LikeRecording, NewBrowser
from contract.management import ManagementApi, Workshop
from contract.oidc import Oidc, Tokens
from contract.people import AFTER_SIGN_OUT, App, Person
from contract.world import World

ONLY_OIDC = "openid profile offline_access email"


@pytest.fixture
async def otto(workshop: Workshop) -> Person:
    return await workshop.person("otto")


@pytest.fixture
async def app(workshop: Workshop) -> App:
    return await workshop.application()


@pytest.fixture
async def two(new_browser: NewBrowser, oidc: Oidc, otto: Person, app: App) -> list[Tokens]:
    """The same person signed in with two browsers."""
    return [await oidc.sign_in(new_browser(), app, otto, scope=ONLY_OIDC) for _ in range(2)]


async def sessions_of(api: ManagementApi, person: Person) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = (
        (await api.get(f"/users/{person.id}/sessions")).expect(200).body["sessions"]
    )
    return listed


def as_recorded(app: App, person: Person, more: Sequence[App] = ()) -> dict[str, str]:
    recorded = {app.id: "k4941p3j178y3tkxvyazc", person.id: "8miysukgnmty"}
    return recorded | {one.id: "jny3g83x8un89rm3mk75c" for one in more}


async def test_two_sessions_are_listed_as_recorded(
    api: ManagementApi, otto: Person, app: App, two: list[Tokens], like_recording: LikeRecording
) -> None:
    reply = await api.get(f"/users/{otto.id}/sessions")
    like_recording("300-sessions-two", reply, as_recorded(app, otto))
    uids = [session["payload"]["uid"] for session in reply.body["sessions"]]
    assert len(set(uids)) == 2


async def test_session_tells_the_sid_that_the_id_token_holds(
    api: ManagementApi, browser: LogtoBrowser, oidc: Oidc, workshop: Workshop, otto: Person
) -> None:
    hears = {"backchannelLogoutUri": AFTER_SIGN_OUT, "backchannelLogoutSessionRequired": True}
    app = await workshop.application(oidcClientMetadata=hears)
    tokens = await oidc.sign_in(browser, app, otto)
    (session,) = await sessions_of(api, otto)
    sid = session["payload"]["authorizations"][app.id]["sid"]
    assert tokens.id_token_claims["sid"] == sid
    assert session["payload"]["uid"] != sid


async def test_one_session_is_read_as_recorded(
    api: ManagementApi, otto: Person, app: App, two: list[Tokens], like_recording: LikeRecording
) -> None:
    path = f"/users/{otto.id}/sessions"
    uid = (await sessions_of(api, otto))[0]["payload"]["uid"]
    like_recording("300-session-get", await api.get(f"{path}/{uid}"), as_recorded(app, otto))
    like_recording("300-session-get-unknown", await api.get(f"{path}/nosuchsession"))


async def test_nobody_and_who_never_signed_in_have_none_as_recorded(
    api: ManagementApi, otto: Person, like_recording: LikeRecording
) -> None:
    like_recording("300-sessions-none", await api.get(f"/users/{otto.id}/sessions"))
    like_recording("300-sessions-unknown-user", await api.get("/users/unknownuser0/sessions"))
    like_recording("301-grants-unknown-user", await api.get("/users/unknownuser0/grants"))


async def test_grants_are_listed_as_recorded(
    api: ManagementApi, otto: Person, app: App, two: list[Tokens], like_recording: LikeRecording
) -> None:
    path = f"/users/{otto.id}/grants"
    like_recording("301-grants-two", await api.get(path), as_recorded(app, otto))
    like_recording("301-grants-third-party", await api.get(path, appType="thirdParty"))
    like_recording("301-grants-bad-type", await api.get(path, appType="nope"))


async def test_ending_a_session_answers_as_recorded(
    api: ManagementApi,
    otto: Person,
    app: App,
    world: World,
    two: list[Tokens],
    like_recording: LikeRecording,
) -> None:
    path = f"/users/{otto.id}/sessions"
    uid = (await sessions_of(api, otto))[0]["payload"]["uid"]
    bad = await api.send("DELETE", f"{path}/{uid}", query={"revokeGrantsTarget": "nope"})
    like_recording("302-session-delete-bad-target", bad)
    like_recording("302-session-delete-unknown", await api.delete(f"{path}/nosuchsession"))
    of_another = f"/users/{world.alice.id}/sessions/{uid}"
    like_recording("302-session-delete-wrong-user", await api.delete(of_another))

    like_recording("302-session-delete-plain", await api.delete(f"{path}/{uid}"))

    like_recording("303-session-delete-twice", await api.delete(f"{path}/{uid}"))
    left = await api.get(f"/users/{otto.id}/grants")
    like_recording("303-grants-after-session-delete", left, as_recorded(app, otto))
    assert len(left.body["grants"]) == 2


async def test_grants_end_with_their_session_as_recorded(
    api: ManagementApi,
    oidc: Oidc,
    browser: LogtoBrowser,
    otto: Person,
    app: App,
    like_recording: LikeRecording,
) -> None:
    tokens = await oidc.sign_in(browser, app, otto, scope=ONLY_OIDC)
    uid = (await sessions_of(api, otto))[0]["payload"]["uid"]
    ended = await api.delete(f"/users/{otto.id}/sessions/{uid}?revokeGrantsTarget=all")
    like_recording("304-session-delete-all", ended)
    refreshed = await oidc.renew(tokens)
    like_recording("304-refresh-after-delete-all", refreshed)
    like_recording("304-userinfo-after-delete-all", await oidc.userinfo(tokens.access_token))
    like_recording("309-sessions-after-everywhere", await api.get(f"/users/{otto.id}/sessions"))
    like_recording("309-grants-after-everywhere", await api.get(f"/users/{otto.id}/grants"))


async def test_session_ended_alone_leaves_a_grant_that_ending_every_session_does_not_reach(
    api: ManagementApi, oidc: Oidc, otto: Person, app: App, two: list[Tokens]
) -> None:
    path = f"/users/{otto.id}/sessions"
    first, second = (session["payload"]["uid"] for session in await sessions_of(api, otto))
    (await api.delete(f"{path}/{first}")).expect(204)
    (await api.delete(f"{path}/{second}?revokeGrantsTarget=all")).expect(204)

    statuses = sorted([(await oidc.renew(tokens)).status for tokens in two])

    assert statuses == [200, 400]


async def test_ending_a_grant_answers_as_recorded(
    api: ManagementApi,
    browser: LogtoBrowser,
    oidc: Oidc,
    otto: Person,
    app: App,
    world: World,
    like_recording: LikeRecording,
) -> None:
    await oidc.sign_in(browser, app, otto, scope=ONLY_OIDC)
    path = f"/users/{otto.id}/grants"
    (grant,) = (await api.get(path)).expect(200).body["grants"]
    of_another = f"/users/{world.alice.id}/grants/{grant['id']}"
    like_recording("306-grant-delete-wrong-user", await api.delete(of_another))
    like_recording("306-grant-delete-unknown", await api.delete(f"{path}/nosuchgrant"))

    like_recording("306-grant-delete", await api.delete(f"{path}/{grant['id']}"))

    like_recording("306-grant-delete-twice", await api.delete(f"{path}/{grant['id']}"))
    left = await api.get(f"/users/{otto.id}/sessions")
    like_recording("306-sessions-after-grant-delete", left, as_recorded(app, otto))
    assert (await browser.authorize(app, prompt="none")).redirect_parameters["error"] == "login_required"


async def test_session_of_two_applications_is_told_and_ends_for_both(
    api: ManagementApi,
    browser: LogtoBrowser,
    oidc: Oidc,
    workshop: Workshop,
    otto: Person,
    app: App,
    like_recording: LikeRecording,
) -> None:
    other = await workshop.application()
    both = [
        await oidc.sign_in(browser, app, otto, scope=ONLY_OIDC),
        await oidc.authorize_again(browser, other, scope=ONLY_OIDC),
    ]
    (session,) = await sessions_of(api, otto)
    path = f"/users/{otto.id}/sessions/{session['payload']['uid']}"
    like_recording("308-session-two-applications", await api.get(path), as_recorded(app, otto, [other]))

    (await api.delete(f"{path}?revokeGrantsTarget=all")).expect(204)

    for tokens in both:
        assert (await oidc.renew(tokens)).body["error"] == "invalid_grant"
