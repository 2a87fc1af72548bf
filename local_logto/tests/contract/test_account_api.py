"""The Account API: a person's own profile, changed by an application with their token."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from contract.client import LogtoBrowser, Reply
from contract.conftest import Server
from contract.fixtures import LikeRecording
from contract.management import ManagementApi, Workshop
from contract.oidc import Oidc, Tokens
from contract.people import App, Person
from contract.recordings import load

EVERY_FIELD = load("390-account-center-fields")["request"]["body"]["fields"]
ALL_SCOPES = "openid profile offline_access email phone custom_data identities"
PICTURE = "https://example.test/k.png"

SetCenter = Callable[..., Awaitable[Reply]]


@pytest.fixture
async def center(server: Server, api: ManagementApi) -> AsyncIterator[SetCenter]:
    """A function that changes the account center, which is restored when the test ends."""
    if not server.is_ours:
        pytest.skip("this test changes the account center, which needs CONTRACT_LOGTO_IS_OURS=1")
    before = (await api.get("/account-center")).expect(200).body

    async def change(**values: object) -> Reply:
        return await api.patch("/account-center", values)

    yield change
    await change(enabled=before["enabled"], fields=before["fields"])


@pytest.fixture
async def open_center(center: SetCenter) -> SetCenter:
    """An account center in which people may edit everything."""
    (await center(enabled=True, fields=EVERY_FIELD)).expect(200)
    return center


@pytest.fixture
async def kay(workshop: Workshop) -> Person:
    return await workshop.person("kay", name="Kay", primaryEmail=workshop.email("kay"))


@pytest.fixture
async def tokens(browser: LogtoBrowser, oidc: Oidc, kay: Person, app: App) -> Tokens:
    return await oidc.sign_in(browser, app, kay, scope=ALL_SCOPES)


@pytest.fixture
async def narrow(browser: LogtoBrowser, oidc: Oidc, kay: Person, app: App) -> Tokens:
    """Tokens that name only the person and their profile."""
    return await oidc.sign_in(browser, app, kay, scope="openid profile offline_access")


async def read(oidc: Oidc, token: str | None) -> Reply:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return await oidc.send("GET", "/api/my-account", headers=headers)


async def change(oidc: Oidc, tokens: Tokens, **values: object) -> Reply:
    headers = {"Authorization": f"Bearer {tokens.access_token}"}
    return await oidc.send("PATCH", "/api/my-account", headers=headers, json=values)


async def test_the_account_center_is_turned_on_as_recorded(
    center: SetCenter, api: ManagementApi, like_recording: LikeRecording
) -> None:
    like_recording("390-account-center-get", await api.get("/account-center"))
    like_recording("390-account-center-enable", await center(enabled=True))
    like_recording("390-account-center-fields", await center(enabled=True, fields=EVERY_FIELD))


@pytest.mark.usefixtures("center")
async def test_nothing_is_shown_while_the_account_center_is_off(
    oidc: Oidc, tokens: Tokens, like_recording: LikeRecording
) -> None:
    like_recording("390-get-disabled", await read(oidc, tokens.access_token))


async def test_without_fields_only_the_account_itself_is_shown(
    center: SetCenter, oidc: Oidc, tokens: Tokens, like_recording: LikeRecording
) -> None:
    await center(enabled=True, fields={})
    like_recording("390-get-all-fields-off", await read(oidc, tokens.access_token))


@pytest.mark.usefixtures("open_center")
async def test_a_person_reads_their_profile_as_recorded(
    oidc: Oidc, tokens: Tokens, like_recording: LikeRecording
) -> None:
    like_recording("391-get", await read(oidc, tokens.access_token))


@pytest.mark.usefixtures("open_center")
async def test_a_token_shows_only_what_its_scopes_cover(
    oidc: Oidc, narrow: Tokens, like_recording: LikeRecording
) -> None:
    like_recording("391-get-narrow-scope", await read(oidc, narrow.access_token))


@pytest.mark.usefixtures("open_center")
async def test_name_and_picture_are_changed_as_recorded(
    oidc: Oidc, tokens: Tokens, api: ManagementApi, kay: Person, like_recording: LikeRecording
) -> None:
    reply = await change(oidc, tokens, name="Kay New", avatar=PICTURE)

    like_recording("391-patch", reply)
    stored = (await api.get(f"/users/{kay.id}")).expect(200).body
    assert (stored["name"], stored["avatar"]) == ("Kay New", PICTURE)


@pytest.mark.usefixtures("open_center")
async def test_a_token_with_the_profile_scope_is_enough_to_change_the_name(
    oidc: Oidc, narrow: Tokens, like_recording: LikeRecording
) -> None:
    (await change(oidc, narrow, avatar=PICTURE)).expect(200)

    reply = await change(oidc, narrow, name="x")

    assert reply.expect(200).body["name"] == "x"


@pytest.mark.usefixtures("open_center")
async def test_custom_data_is_changed_as_recorded(
    oidc: Oidc, tokens: Tokens, like_recording: LikeRecording
) -> None:
    (await change(oidc, tokens, avatar=PICTURE)).expect(200)
    like_recording("391-patch-custom-data", await change(oidc, tokens, customData={"theme": "dark"}))


@pytest.mark.usefixtures("open_center")
async def test_a_picture_must_be_a_url(oidc: Oidc, tokens: Tokens, like_recording: LikeRecording) -> None:
    like_recording("391-patch-bad-avatar", await change(oidc, tokens, avatar="nope"))


async def test_a_field_that_is_only_readable_cannot_be_changed(
    center: SetCenter, oidc: Oidc, tokens: Tokens, like_recording: LikeRecording
) -> None:
    await center(enabled=True, fields={"name": "ReadOnly"})
    like_recording("391-patch-read-only", await change(oidc, tokens, name="Nope"))


@pytest.mark.usefixtures("open_center")
async def test_a_username_needs_a_verification_record(
    oidc: Oidc, tokens: Tokens, like_recording: LikeRecording
) -> None:
    reply = await change(oidc, tokens, username="kaz_201d7c")
    like_recording("391-patch-username-no-verification", reply)


@pytest.mark.usefixtures("open_center")
@pytest.mark.parametrize(
    ("token", "recording"), [(None, "391-get-no-token"), ("garbage", "391-get-bad-token")]
)
async def test_a_caller_without_a_token_is_rejected(
    oidc: Oidc, like_recording: LikeRecording, token: str | None, recording: str
) -> None:
    like_recording(recording, await read(oidc, token))


@pytest.mark.usefixtures("open_center")
async def test_a_token_for_the_management_api_is_rejected(
    oidc: Oidc, api: ManagementApi, like_recording: LikeRecording
) -> None:
    like_recording("391-get-management-token", await read(oidc, api.token))


@pytest.mark.usefixtures("open_center")
async def test_a_token_without_openid_is_rejected(
    browser: LogtoBrowser, oidc: Oidc, kay: Person, app: App, like_recording: LikeRecording
) -> None:
    callback = await browser.sign_in(app, kay, scope="profile offline_access", nonce=None)
    token = (await oidc.exchange(callback)).expect(200).body["access_token"]
    like_recording("397-get-without-openid", await read(oidc, token))
