"""Requests that a more lenient server would accept and Logto refuses, and values that it normalizes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from contract.client import LogtoBrowser
from contract.fixtures import LikeRecording
from contract.management import ManagementApi, Workshop
from contract.people import App, Person
from contract.recordings import load


def sent_for(recording: str) -> Any:
    """Return the body that was sent for a recording."""
    return load(recording)["request"]["body"]


# --- nothing to change


@pytest.mark.parametrize(
    "kind", ["user", "organization", "role", "organization scope", "resource", "resource scope", "hook"]
)
async def test_change_without_a_value_is_refused(api: ManagementApi, workshop: Workshop, kind: str) -> None:
    path = await path_of_new(workshop, kind)
    assert (await api.patch(path, {})).refusal == (422, "entity.invalid_input")


async def test_change_of_an_application_without_a_value_is_accepted(
    api: ManagementApi, workshop: Workshop
) -> None:
    app = await workshop.application()
    assert (await api.patch(f"/applications/{app.id}", {})).expect(200).body["id"] == app.id


async def path_of_new(workshop: Workshop, kind: str) -> str:
    """Create something of this kind and return its path."""
    if kind == "user":
        return f"/users/{(await workshop.person()).id}"
    if kind == "organization":
        return f"/organizations/{await workshop.organization()}"
    if kind == "role":
        return f"/organization-roles/{await workshop.role()}"
    if kind == "organization scope":
        return f"/organization-scopes/{await workshop.organization_scope(workshop.unique('scope'))}"
    if kind == "hook":
        return f"/hooks/{(await workshop.hook())['id']}"
    resource = await workshop.resource()
    if kind == "resource":
        return f"/resources/{resource['id']}"
    scope = await workshop.resource_scope(resource["id"], workshop.unique("scope"))
    return f"/resources/{resource['id']}/scopes/{scope}"


# --- sign-in settings


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"color": {"primaryColor": "#fff"}}, ["color", "isDarkModeEnabled"]),
        (
            {"color": {"primaryColor": "red", "isDarkModeEnabled": False, "darkPrimaryColor": "#000000"}},
            ["color", "primaryColor"],
        ),
        ({"branding": {"logoUrl": "no url"}}, ["branding", "logoUrl"]),
        (
            {"languageInfo": {"autoDetect": True, "fallbackLanguage": "xx"}},
            ["languageInfo", "fallbackLanguage"],
        ),
        ({"passwordPolicy": {"length": {"min": 0}}}, ["passwordPolicy", "length", "min"]),
        ({"passwordPolicy": {"characterTypes": {"min": 5}}}, ["passwordPolicy", "characterTypes", "min"]),
        ({"usernamePolicy": {"caseSensitive": False}}, ["usernamePolicy", "minLength"]),
        ({"termsOfUseUrl": "not a url"}, ["termsOfUseUrl"]),
        ({"unknownSessionRedirectUrl": "not a url"}, ["unknownSessionRedirectUrl"]),
        ({"supportEmail": "nobody"}, ["supportEmail"]),
        ({"customContent": {"page": 1}}, ["customContent", "page"]),
        (
            {"emailBlocklistPolicy": {"customBlocklist": "@x.example"}},
            ["emailBlocklistPolicy", "customBlocklist"],
        ),
        ({"passwordExpiration": {"enabled": True}}, ["passwordExpiration"]),
    ],
    ids=lambda value: ".".join(value) if isinstance(value, list) else "",
)
async def test_sign_in_setting_of_the_wrong_shape_is_refused(
    api: ManagementApi, changes: dict[str, Any], path: list[str]
) -> None:
    reply = (await api.patch("/sign-in-exp", changes)).expect(400)
    assert reply.body["code"] == "guard.invalid_input"
    assert path in [issue["path"] for issue in reply.body["data"]["issues"]]


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"minLength": 9, "maxLength": 8}, ["usernamePolicy", "maxLength"]),
        (
            {"allowedChars": {"lowercase": False, "uppercase": False, "numbers": True, "underscore": False}},
            ["usernamePolicy", "allowedChars"],
        ),
    ],
    ids=["shorter than its minimum", "numbers alone"],
)
async def test_username_policy_that_no_username_satisfies_is_refused(
    api: ManagementApi, sign_in_settings: Mapping[str, Any], changes: dict[str, Any], path: list[str]
) -> None:
    policy = {**sign_in_settings["usernamePolicy"], **changes}
    reply = (await api.patch("/sign-in-exp", {"usernamePolicy": policy})).expect(400)
    assert [issue["path"] for issue in reply.body["data"]["issues"]] == [path]


async def test_fallback_language_without_texts_is_refused(api: ManagementApi) -> None:
    language = {"autoDetect": True, "fallbackLanguage": "eo-EO"}
    reply = (await api.patch("/sign-in-exp", {"languageInfo": language})).expect(400)
    assert reply.body["code"] == "sign_in_experiences.unsupported_default_language"


async def test_change_of_no_sign_in_setting_is_refused(api: ManagementApi) -> None:
    assert (await api.patch("/sign-in-exp", {})).refusal == (422, "entity.invalid_input")


# --- webhooks


@pytest.mark.parametrize("retries", [9, -1])
async def test_hook_retries_three_times_at_most(api: ManagementApi, retries: int) -> None:
    config = {"url": "http://127.0.0.1:9/", "retries": retries}
    reply = (await api.post("/hooks", {"events": ["User.Created"], "config": config})).expect(400)
    assert reply.body["data"]["issues"][0]["path"] == ["config", "retries"]


@pytest.mark.parametrize(
    ("events", "code"), [({"events": []}, "guard.invalid_input"), ({}, "hook.missing_events")]
)
async def test_hook_without_an_event_is_refused(
    api: ManagementApi, events: dict[str, Any], code: str
) -> None:
    reply = await api.post("/hooks", {"config": {"url": "http://127.0.0.1:9/"}, **events})
    assert reply.refusal == (400, code)


async def test_last_event_of_a_hook_cannot_be_removed(api: ManagementApi, workshop: Workshop) -> None:
    path = f"/hooks/{(await workshop.hook())['id']}"
    (await api.patch(path, {"events": []})).expect(400)
    assert (await api.get(path)).body["events"] == ["User.Created"]


async def test_url_of_a_hook_may_be_any_text(workshop: Workshop) -> None:
    hook = await workshop.hook(config={"url": "no address"})
    assert hook["config"] == {"url": "no address"}


async def test_event_that_a_hook_names_twice_is_stored_once(workshop: Workshop) -> None:
    hook = await workshop.hook(events=["Role.Created", "Role.Created"])
    assert hook["events"] == ["Role.Created"]


# --- applications


@pytest.mark.parametrize("kind", ["SPA", "Native"])
async def test_public_application_gets_no_secret(api: ManagementApi, workshop: Workshop, kind: str) -> None:
    app = await workshop.application(kind)
    reply = (await api.post(f"/applications/{app.id}/secrets", {"name": "secret"})).expect(422)
    assert reply.body["code"] == "entity.db_constraint_violated"


@pytest.mark.parametrize(
    "name",
    [
        "410-device-application-create",
        "410-device-application-traditional",  # only native applications may use the device flow
        "360-create",
        "360-create-machine",  # a machine cannot belong to a third party
    ],
)
async def test_new_application_is_answered_as_recorded(
    workshop: Workshop, like_recording: LikeRecording, name: str
) -> None:
    like_recording(name, await workshop.post("/applications", sent_for(name)))


async def test_device_application_stays_one_as_recorded(
    api: ManagementApi, workshop: Workshop, like_recording: LikeRecording
) -> None:
    app = (await workshop.post("/applications", sent_for("410-device-application-create"))).expect(200).body
    changes = sent_for("410-device-application-switch-off")
    reply = await api.patch(f"/applications/{app['id']}", changes)
    like_recording("410-device-application-switch-off", reply)


@pytest.fixture
async def stranger(workshop: Workshop) -> App:
    """A third-party application."""
    return await workshop.application(isThirdParty=True)


@pytest.mark.parametrize(("is_third_party", "listed"), [("true", True), ("false", False)])
async def test_list_can_be_limited_to_third_parties(
    api: ManagementApi, stranger: App, is_third_party: str, *, listed: bool
) -> None:
    apps = (await api.get("/applications", isThirdParty=is_third_party)).expect(200).body
    assert (stranger.id in [app["id"] for app in apps]) is listed


async def test_token_exchange_of_a_third_party_is_refused_as_recorded(
    api: ManagementApi, stranger: App, like_recording: LikeRecording
) -> None:
    reply = await api.patch(f"/applications/{stranger.id}", sent_for("360-allow-token-exchange"))
    like_recording("360-allow-token-exchange", reply)


async def test_third_party_cannot_request_a_scope_that_is_not_enabled(
    browser: LogtoBrowser, stranger: App
) -> None:
    reply = (await browser.authorize(stranger, scope="openid profile email", state="st")).expect(303)
    recorded = load("361-authorize-scope-not-enabled")["response"]["headers"]["Location"]
    assert reply.location.split("&iss=")[0] == recorded.split("&iss=")[0]


async def test_list_can_exclude_the_machines_of_an_organization(
    api: ManagementApi, workshop: Workshop
) -> None:
    organization = await workshop.organization()
    inside, outside = [await workshop.application("MachineToMachine") for _ in range(2)]
    await workshop.join_machine(organization, inside)
    shown = (await api.get("/applications", excludeOrganizationId=organization)).expect(200).body
    ids = {app["id"] for app in shown}
    assert inside.id not in ids
    assert outside.id in ids


# --- people


def local_number(workshop: Workshop) -> str:
    """Return an Australian phone number that no other test uses, without its country code."""
    return f"412{int(workshop.tag, 16) % 10**6:06}"


async def test_zero_before_a_local_number_is_not_stored(workshop: Workshop) -> None:
    local = local_number(workshop)
    person = await workshop.person(primaryPhone=f"610{local}")
    assert person.phone == f"61{local}"


@pytest.mark.parametrize("prefix", ["610", "61"])
async def test_number_is_taken_with_and_without_its_zero(
    api: ManagementApi, workshop: Workshop, prefix: str
) -> None:
    local = local_number(workshop)
    await workshop.person(primaryPhone=f"610{local}")
    reply = await api.post("/users", {"primaryPhone": f"{prefix}{local}"})
    assert reply.refusal == (422, "user.phone_already_in_use")


async def test_new_user_with_a_number_of_no_country_is_refused(api: ManagementApi) -> None:
    reply = await api.post("/users", {"primaryPhone": "0123456789"})
    assert reply.refusal == (422, "user.invalid_phone")


async def test_change_to_a_number_of_no_country_is_refused(api: ManagementApi, nina: Person) -> None:
    reply = await api.patch(f"/users/{nina.id}", {"primaryPhone": "0123456789"})
    assert reply.refusal == (422, "user.invalid_phone")
