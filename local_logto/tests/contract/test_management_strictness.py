"""What Logto refuses although a milder server would take it, and what it keeps in another form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from contract.client import LogtoBrowser
from contract.fixtures import LikeRecording
from contract.management import ManagementApi, Workshop
from contract.people import App, Person
from contract.recordings import load

NO_ADDRESSES = {"redirectUris": [], "postLogoutRedirectUris": []}


# --- nothing to write


async def test_assigning_no_role_is_as_recorded(
    api: ManagementApi, workshop: Workshop, like_recording: LikeRecording
) -> None:
    organization, person = await workshop.organization(), await workshop.person()
    await workshop.join(organization, person)
    path = f"/organizations/{organization}/users/{person.id}/roles"
    for body in ({"organizationRoleIds": []}, {}):
        like_recording("445-organization-user-roles-post-empty", await api.post(path, body))


@pytest.mark.parametrize(
    "kind", ["user", "organization", "role", "organization scope", "resource", "resource scope", "hook"]
)
async def test_change_without_a_value_is_refused(api: ManagementApi, workshop: Workshop, kind: str) -> None:
    path = await somewhere(workshop, kind)
    reply = (await api.patch(path, {})).expect(422)
    assert reply.body["code"] == "entity.invalid_input"


async def test_application_takes_a_change_without_a_value(api: ManagementApi, workshop: Workshop) -> None:
    app = await workshop.application()
    assert (await api.patch(f"/applications/{app.id}", {})).expect(200).body["id"] == app.id


async def somewhere(workshop: Workshop, kind: str) -> str:
    """The path of something new of this kind."""
    if kind == "user":
        return f"/users/{(await workshop.person()).id}"
    if kind == "organization":
        return f"/organizations/{await workshop.organization()}"
    if kind == "role":
        return f"/organization-roles/{await workshop.role()}"
    if kind == "organization scope":
        return f"/organization-scopes/{await workshop.organization_scope(workshop.unique('scope'))}"
    if kind == "hook":
        return f"/hooks/{(await a_hook(workshop))['id']}"
    resource = await workshop.resource()
    if kind == "resource":
        return f"/resources/{resource['id']}"
    scope = await workshop.resource_scope(resource["id"], workshop.unique("scope"))
    return f"/resources/{resource['id']}/scopes/{scope}"


async def a_hook(workshop: Workshop, **values: object) -> dict[str, Any]:
    body = {"name": "strict", "events": ["User.Created"], "config": {"url": "http://127.0.0.1:9/"}, **values}
    hook: dict[str, Any] = (await workshop.api.post("/hooks", body)).expect(201).body
    workshop.will_delete(f"/hooks/{hook['id']}")
    return hook


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
async def test_username_policy_that_nobody_can_fulfil_is_refused(
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
    assert (await api.patch("/sign-in-exp", {})).expect(422).body["code"] == "entity.invalid_input"


# --- webhooks


@pytest.mark.parametrize("retries", [9, -1])
async def test_hook_tries_again_three_times_at_most(api: ManagementApi, retries: int) -> None:
    config = {"url": "http://127.0.0.1:9/", "retries": retries}
    reply = (await api.post("/hooks", {"events": ["User.Created"], "config": config})).expect(400)
    assert reply.body["data"]["issues"][0]["path"] == ["config", "retries"]


async def test_hook_of_no_event_is_refused_and_one_stays_as_it_was(
    api: ManagementApi, workshop: Workshop
) -> None:
    config = {"url": "http://127.0.0.1:9/"}
    empty = (await api.post("/hooks", {"events": [], "config": config})).expect(400)
    none = (await api.post("/hooks", {"config": config})).expect(400)
    assert (empty.body["code"], none.body["code"]) == ("guard.invalid_input", "hook.missing_events")
    hook = await a_hook(workshop)
    (await api.patch(f"/hooks/{hook['id']}", {"events": []})).expect(400)
    assert (await api.get(f"/hooks/{hook['id']}")).body["events"] == ["User.Created"]


async def test_hook_takes_any_text_for_its_address_and_an_event_once(workshop: Workshop) -> None:
    hook = await a_hook(workshop, config={"url": "no address"}, events=["Role.Created", "Role.Created"])
    assert (hook["config"], hook["events"]) == ({"url": "no address"}, ["Role.Created"])


# --- applications


@pytest.mark.parametrize("kind", ["SPA", "Native"])
async def test_public_application_gets_no_secret(api: ManagementApi, workshop: Workshop, kind: str) -> None:
    app = await workshop.application(kind)
    reply = (await api.post(f"/applications/{app.id}/secrets", {"name": "secret"})).expect(422)
    assert reply.body["code"] == "entity.db_constraint_violated"


async def test_device_application_stays_one_as_recorded(
    api: ManagementApi, workshop: Workshop, like_recording: LikeRecording
) -> None:
    body = load("410-device-application-create")["request"]["body"]
    reply = await api.post("/applications", body)
    workshop.will_delete(f"/applications/{reply.body['id']}")
    like_recording("410-device-application-create", reply)
    path = f"/applications/{reply.body['id']}"
    changed = load("410-device-application-switch-off")["request"]["body"]
    like_recording("410-device-application-switch-off", await api.patch(path, changed))


async def test_only_native_applications_are_of_the_device_flow(
    api: ManagementApi, like_recording: LikeRecording
) -> None:
    body = load("410-device-application-traditional")["request"]["body"]
    like_recording("410-device-application-traditional", await api.post("/applications", body))


@pytest.fixture
async def stranger(workshop: Workshop) -> App:
    """An application that is somebody else's."""
    return await workshop.application(isThirdParty=True)


async def test_third_party_application_is_as_recorded(
    api: ManagementApi, workshop: Workshop, like_recording: LikeRecording
) -> None:
    reply = await api.post("/applications", load("360-create")["request"]["body"])
    workshop.will_delete(f"/applications/{reply.body['id']}")
    like_recording("360-create", reply)
    named = (await api.get("/applications", isThirdParty="true")).expect(200).body
    assert reply.body["id"] in [app["id"] for app in named]
    others = (await api.get("/applications", isThirdParty="false")).expect(200).body
    assert reply.body["id"] not in [app["id"] for app in others]


async def test_machine_is_no_third_party_as_recorded(
    api: ManagementApi, like_recording: LikeRecording
) -> None:
    body = load("360-create-machine")["request"]["body"]
    like_recording("360-create-machine", await api.post("/applications", body))


async def test_third_party_exchanges_no_tokens_as_recorded(
    api: ManagementApi, stranger: App, like_recording: LikeRecording
) -> None:
    body = load("360-allow-token-exchange")["request"]["body"]
    reply = await api.patch(f"/applications/{stranger.id}", body)
    like_recording("360-allow-token-exchange", reply)


async def test_third_party_may_ask_for_no_scope_that_is_not_enabled(
    browser: LogtoBrowser, stranger: App
) -> None:
    reply = (await browser.authorize(stranger, scope="openid profile email", state="st")).expect(303)
    recorded = load("361-authorize-scope-not-enabled")["response"]["headers"]["Location"]
    assert reply.location.split("&iss=")[0] == recorded.split("&iss=")[0]


async def test_list_leaves_out_who_belongs_to_an_organization(api: ManagementApi, workshop: Workshop) -> None:
    organization = await workshop.organization()
    inside, outside = [await workshop.application("MachineToMachine") for _ in range(2)]
    added = {"applicationIds": [inside.id]}
    (await api.post(f"/organizations/{organization}/applications", added)).expect(201)
    shown = (await api.get("/applications", excludeOrganizationId=organization)).expect(200).body
    ids = {app["id"] for app in shown}
    assert inside.id not in ids
    assert outside.id in ids


# --- people


async def test_roles_of_a_member_are_listed_by_name(api: ManagementApi, workshop: Workshop) -> None:
    organization, person = await workshop.organization(), await workshop.person()
    roles = [await workshop.role(name) for name in ("c", "a", "d", "b")]
    await workshop.join(organization, person, *roles)
    [member] = (await api.get(f"/organizations/{organization}/users")).expect(200).body
    [there] = (await api.get(f"/users/{person.id}/organizations")).expect(200).body
    for shown in (member, there):
        names = [role["name"] for role in shown["organizationRoles"]]
        assert [name[0] for name in names] == ["a", "b", "c", "d"]


async def test_zero_before_a_local_number_is_not_kept(api: ManagementApi, workshop: Workshop) -> None:
    local = f"412{int(workshop.tag, 16) % 10**6:06}"
    person = await workshop.person(primaryPhone=f"610{local}")
    assert person.phone == f"61{local}"
    for phone in (f"610{local}", f"61{local}"):
        reply = (await api.post("/users", {"primaryPhone": phone})).expect(422)
        assert reply.body["code"] == "user.phone_already_in_use"


async def test_number_of_no_country_is_refused(api: ManagementApi, nina: Person) -> None:
    for reply in (
        await api.post("/users", {"primaryPhone": "0123456789"}),
        await api.patch(f"/users/{nina.id}", {"primaryPhone": "0123456789"}),
    ):
        assert reply.expect(422).body["code"] == "user.invalid_phone"
