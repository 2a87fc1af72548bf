"""Conventions of the Management API: access, paging, bodies and errors."""

from __future__ import annotations

import re

import aiohttp
import pytest
from yarl import URL

from contract.client import decode
from contract.conftest import Server
from contract.fixtures import LikeRecording
from contract.management import ManagementApi, Workshop
from contract.oidc import Oidc, Tokens
from contract.people import App
from contract.world import World

PAGED = ["/users", "/organizations", "/organization-roles"]
ROUTES = [*PAGED, "/applications", "/resources", "/organization-scopes", "/organization-invitations"]


# --- access


async def test_request_without_a_token_is_as_recorded(oidc: Oidc, like_recording: LikeRecording) -> None:
    like_recording("02-mapi-no-token", await oidc.send("GET", "/api/applications"))


@pytest.mark.parametrize("route", ROUTES)
async def test_every_route_requires_a_token(oidc: Oidc, route: str) -> None:
    reply = (await oidc.send("GET", f"/api{route}")).expect(401)
    assert reply.body["code"] == "auth.authorization_header_missing"


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("Basic abc", "auth.authorization_token_type_not_supported"),
        ("Bearer garbage", "auth.unauthorized"),
    ],
)
async def test_other_schemes_and_unknown_tokens_are_refused(oidc: Oidc, header: str, code: str) -> None:
    reply = await oidc.send("GET", "/api/applications", headers={"Authorization": header})
    assert reply.refusal == (401, code)


async def test_token_for_another_resource_is_unauthorized(oidc: Oidc, alice: Tokens, world: World) -> None:
    issued = await oidc.renew(alice, resource=world.resource)
    headers = {"Authorization": f"Bearer {issued.expect(200).body['access_token']}"}
    reply = (await oidc.send("GET", "/api/applications", headers=headers)).expect(401)
    assert reply.body["code"] == "auth.unauthorized"


async def test_token_without_the_scope_all_is_forbidden(
    http: aiohttp.ClientSession, oidc: Oidc, server: Server
) -> None:
    credentials = server.management
    app = App(credentials.app_id, credentials.app_secret)
    endpoint = URL(credentials.token_endpoint)
    issuer = Oidc(http, str(endpoint.origin()))
    form = {"grant_type": "client_credentials", "resource": credentials.resource}
    issued = (await issuer.post(endpoint.path, form, app)).expect(200)
    headers = {"Authorization": f"Bearer {issued.body['access_token']}"}
    reply = (await oidc.send("GET", "/api/applications", headers=headers)).expect(403)
    assert reply.body["code"] == "auth.forbidden"


async def test_management_token_carries_the_scope_all(http: aiohttp.ClientSession, server: Server) -> None:
    credentials = server.management
    app = App(credentials.app_id, credentials.app_secret)
    endpoint = URL(credentials.token_endpoint)
    form = {"grant_type": "client_credentials", "resource": credentials.resource, "scope": "all"}
    issued = (await Oidc(http, str(endpoint.origin())).post(endpoint.path, form, app)).expect(200)
    claims = decode(issued.body["access_token"]).claims
    assert (claims["aud"], claims["scope"], claims["sub"]) == (
        credentials.resource,
        "all",
        credentials.app_id,
    )


# --- paging


async def test_page_size_above_a_hundred_is_as_recorded(
    api: ManagementApi, like_recording: LikeRecording
) -> None:
    reply = await api.get("/organizations", page="1", page_size="101")
    like_recording("201-org-list-page-size-101", reply)


@pytest.mark.parametrize("route", PAGED)
@pytest.mark.parametrize(
    "query",
    [
        {"page": "0"},
        {"page": "-1"},
        {"page": "one"},
        {"page_size": "0"},
        {"page_size": "101"},
        {"page": "1", "page_size": "many"},
    ],
    ids=lambda query: "&".join(f"{name}={value}" for name, value in query.items()),
)
async def test_impossible_page_is_refused(api: ManagementApi, route: str, query: dict[str, str]) -> None:
    reply = (await api.get(route, **query)).expect(400)
    assert reply.body["code"] == "guard.invalid_pagination"


@pytest.mark.parametrize("route", PAGED)
async def test_list_is_paged_by_default(api: ManagementApi, route: str) -> None:
    reply = (await api.get(route)).expect(200)
    assert int(reply.headers["Total-Number"]) >= len(reply.body)
    assert len(reply.body) <= 20


async def test_pages_together_are_the_whole_list_without_duplicates(
    api: ManagementApi, workshop: Workshop
) -> None:
    name = workshop.unique("paged")
    made = {await workshop.organization(name) for _ in range(5)}
    seen: list[str] = []
    for page, size in (("1", 2), ("2", 2), ("3", 1), ("4", 0)):
        reply = (await api.get("/organizations", q=name, page=page, page_size="2")).expect(200)
        assert reply.headers["Total-Number"] == "5"
        assert len(reply.body) == size
        seen += [entry["id"] for entry in reply.body]
    assert len(seen) == 5
    assert set(seen) == made


async def test_links_name_the_pages(api: ManagementApi, workshop: Workshop) -> None:
    name = workshop.unique("linked")
    for _ in range(3):
        await workshop.organization(name)
    reply = (await api.get("/organizations", q=name, page="2", page_size="1")).expect(200)
    links = [re.fullmatch(r'<([^>]*)>; rel="(\w+)"', line) for line in reply.headers.getall("Link")]
    pages = [(link[2], URL(link[1]).query["page"]) for link in links if link]
    assert pages == [("first", "1"), ("prev", "1"), ("last", "3"), ("next", "3")]
    assert {URL(link[1]).query["q"] for link in links if link} == {name}


async def test_links_lack_the_prefix_of_the_api(api: ManagementApi, server: Server) -> None:
    """Clients cannot follow these links, not even at Logto: they have to request pages by number."""
    reply = (await api.get("/organizations", page_size="1")).expect(200)
    [first, *_] = reply.headers.getall("Link")
    assert first == f'<{server.endpoint}/organizations?page_size=1&page=1>; rel="first"'


@pytest.mark.parametrize("route", ["/applications", "/resources", "/organization-scopes"])
async def test_list_with_optional_paging_has_a_total_only_on_request(
    api: ManagementApi, world: World, route: str
) -> None:
    assert "Total-Number" not in (await api.get(route)).expect(200).headers
    reply = (await api.get(route, page="1", page_size="1")).expect(200)
    assert int(reply.headers["Total-Number"]) >= len(reply.body) == 1


async def test_invitations_are_never_paged(api: ManagementApi, workshop: Workshop) -> None:
    query = {"organizationId": await workshop.organization(), "page": "1", "page_size": "1"}
    assert "Total-Number" not in (await api.get("/organization-invitations", **query)).expect(200).headers


# --- bodies and errors


@pytest.mark.parametrize("body", [[], "text", 4711])
async def test_body_must_be_an_object(api: ManagementApi, body: object) -> None:
    assert (await api.post("/organizations", body)).status == 400


async def test_malformed_json_is_refused(oidc: Oidc, api: ManagementApi) -> None:
    headers = {"Authorization": f"Bearer {api.token}", "Content-Type": "application/json"}
    reply = await oidc.send("POST", "/api/organizations", data=b"{", headers=headers)
    assert reply.status == 400


async def test_validation_error_names_the_path_of_every_issue(api: ManagementApi) -> None:
    reply = (await api.post("/organizations", {"name": 1, "customData": 2})).expect(400)
    paths = [issue["path"] for issue in reply.body["data"]["issues"]]
    assert paths == [["name"], ["customData"]]
    assert len(reply.body["details"].splitlines()) == 2


async def test_unknown_route_is_a_404(api: ManagementApi) -> None:
    assert (await api.get("/nowhere")).status == 404


async def test_times_are_epoch_milliseconds(api: ManagementApi, workshop: Workshop) -> None:
    organization = (await api.get(f"/organizations/{await workshop.organization()}")).body
    assert organization["createdAt"] > 1_700_000_000_000


async def test_id_token_settings_are_as_recorded(api: ManagementApi, like_recording: LikeRecording) -> None:
    like_recording("211-configs-id-token", await api.get("/configs/id-token"))


async def test_sign_in_settings_are_as_recorded(
    api: ManagementApi, server: Server, like_recording: LikeRecording
) -> None:
    if not server.is_ours:
        pytest.skip("the named Logto may have other sign-in settings")
    like_recording("05-sign-in-exp", await api.get("/sign-in-exp"))
