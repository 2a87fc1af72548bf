"""Sessions and grants of a person, compared with the replies of a running Logto."""

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
async def two(new_browser: NewBrowser, oidc: Oidc, otto: Person, app: App) -> list[Tokens]:
    """The tokens of one person who signed in with two browsers."""
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


async def test_session_shows_the_sid_of_the_id_token(
    api: ManagementApi, browser: LogtoBrowser, oidc: Oidc, workshop: Workshop, otto: Person
) -> None:
    hears = {"backchannelLogoutUri": AFTER_SIGN_OUT, "backchannelLogoutSessionRequired": True}
    app = await workshop.application(oidcClientMetadata=hears)
    tokens = await oidc.sign_in(browser, app, otto)
    (session,) = await sessions_of(api, otto)
    sid = session["payload"]["authorizations"][app.id]["sid"]
    assert tokens.id_token_claims["sid"] == sid
    assert session["payload"]["uid"] != sid


@pytest.fixture
async def session(api: ManagementApi, otto: Person, two: list[Tokens]) -> str:
    """The path of one of the two sessions."""
    uid = (await sessions_of(api, otto))[0]["payload"]["uid"]
    return f"/users/{otto.id}/sessions/{uid}"


async def test_one_session_is_read_as_recorded(
    api: ManagementApi, otto: Person, app: App, session: str, like_recording: LikeRecording
) -> None:
    like_recording("300-session-get", await api.get(session), as_recorded(app, otto))


@pytest.mark.parametrize(
    ("path", "recording"),
    [
        ("/users/{otto}/sessions", "300-sessions-none"),
        ("/users/{otto}/sessions/nosuchsession", "300-session-get-unknown"),
        ("/users/unknownuser0/sessions", "300-sessions-unknown-user"),
        ("/users/unknownuser0/grants", "301-grants-unknown-user"),
    ],
)
async def test_missing_sessions_and_grants_are_answered_as_recorded(
    api: ManagementApi, otto: Person, like_recording: LikeRecording, path: str, recording: str
) -> None:
    like_recording(recording, await api.get(path.format(otto=otto.id)))


@pytest.mark.usefixtures("two")
@pytest.mark.parametrize(
    ("query", "recording"),
    [
        ({}, "301-grants-two"),
        ({"appType": "thirdParty"}, "301-grants-third-party"),
        ({"appType": "nope"}, "301-grants-bad-type"),
    ],
)
async def test_grants_are_listed_as_recorded(
    api: ManagementApi,
    otto: Person,
    app: App,
    like_recording: LikeRecording,
    query: dict[str, str],
    recording: str,
) -> None:
    reply = await api.get(f"/users/{otto.id}/grants", **query)
    like_recording(recording, reply, as_recorded(app, otto))


async def test_session_cannot_be_ended_with_an_unknown_target_for_its_grants(
    api: ManagementApi, session: str, like_recording: LikeRecording
) -> None:
    reply = await api.send("DELETE", session, query={"revokeGrantsTarget": "nope"})
    like_recording("302-session-delete-bad-target", reply)


async def test_unknown_session_cannot_be_ended(
    api: ManagementApi, otto: Person, like_recording: LikeRecording
) -> None:
    reply = await api.delete(f"/users/{otto.id}/sessions/nosuchsession")
    like_recording("302-session-delete-unknown", reply)


async def test_session_cannot_be_ended_as_another_persons(
    api: ManagementApi, otto: Person, world: World, session: str, like_recording: LikeRecording
) -> None:
    reply = await api.delete(session.replace(otto.id, world.alice.id))
    like_recording("302-session-delete-wrong-user", reply)


async def test_ending_a_session_is_as_recorded_and_keeps_the_grants(
    api: ManagementApi, otto: Person, app: App, session: str, like_recording: LikeRecording
) -> None:
    like_recording("302-session-delete-plain", await api.delete(session))
    left = await api.get(f"/users/{otto.id}/grants")
    like_recording("303-grants-after-session-delete", left, as_recorded(app, otto))
    assert len(left.body["grants"]) == 2


async def test_ended_session_cannot_be_ended_again(
    api: ManagementApi, session: str, like_recording: LikeRecording
) -> None:
    (await api.delete(session)).expect(204)
    like_recording("303-session-delete-twice", await api.delete(session))


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


async def test_grant_that_outlived_its_session_is_not_ended_with_other_sessions(
    api: ManagementApi, oidc: Oidc, otto: Person, app: App, two: list[Tokens]
) -> None:
    path = f"/users/{otto.id}/sessions"
    first, second = (session["payload"]["uid"] for session in await sessions_of(api, otto))
    (await api.delete(f"{path}/{first}")).expect(204)
    (await api.delete(f"{path}/{second}?revokeGrantsTarget=all")).expect(204)

    statuses = sorted([(await oidc.renew(tokens)).status for tokens in two])

    assert statuses == [200, 400]


@pytest.fixture
async def grant(api: ManagementApi, browser: LogtoBrowser, oidc: Oidc, otto: Person, app: App) -> str:
    """The path of the grant of a sign-in in the test's browser."""
    await oidc.sign_in(browser, app, otto, scope=ONLY_OIDC)
    path = f"/users/{otto.id}/grants"
    (grant,) = (await api.get(path)).expect(200).body["grants"]
    return f"{path}/{grant['id']}"


async def test_grant_cannot_be_ended_as_another_persons(
    api: ManagementApi, otto: Person, world: World, grant: str, like_recording: LikeRecording
) -> None:
    reply = await api.delete(grant.replace(otto.id, world.alice.id))
    like_recording("306-grant-delete-wrong-user", reply)


async def test_unknown_grant_cannot_be_ended(
    api: ManagementApi, otto: Person, like_recording: LikeRecording
) -> None:
    like_recording("306-grant-delete-unknown", await api.delete(f"/users/{otto.id}/grants/nosuchgrant"))


async def test_ended_grant_cannot_be_ended_again(
    api: ManagementApi, grant: str, like_recording: LikeRecording
) -> None:
    (await api.delete(grant)).expect(204)
    like_recording("306-grant-delete-twice", await api.delete(grant))


async def test_ending_a_grant_is_as_recorded_and_signs_the_browser_out(
    api: ManagementApi,
    browser: LogtoBrowser,
    otto: Person,
    app: App,
    grant: str,
    like_recording: LikeRecording,
) -> None:
    like_recording("306-grant-delete", await api.delete(grant))
    left = await api.get(f"/users/{otto.id}/sessions")
    like_recording("306-sessions-after-grant-delete", left, as_recorded(app, otto))
    assert (await browser.authorize(app, prompt="none")).redirect_parameters["error"] == "login_required"


async def test_session_of_two_applications_is_shown_and_ends_for_both(
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
