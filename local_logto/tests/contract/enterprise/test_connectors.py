"""Enterprise connectors: how they are created, changed, deleted, and added to organizations."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from contract.client import Reply
from contract.fixtures import LikeRecording
from contract.management import ManagementApi, Workshop
from contract.recordings import load
from local_logto.fakes.openid import FakeOpenId

Create = Callable[..., Awaitable[Reply]]


@pytest.fixture
def domain(workshop: Workshop) -> str:
    return f"corp{workshop.tag}.example.test"


@pytest.fixture
def create(workshop: Workshop, provider: FakeOpenId, domain: str) -> Create:
    """A function that creates a connector for the provider and a new domain."""

    async def run(**values: object) -> Reply:
        body = {
            "providerName": "OIDC",
            "connectorName": workshop.unique("Corp"),
            "domains": [domain],
            "config": provider.config,
        }
        return await workshop.post("/sso-connectors", {**body, **values})

    return run


@pytest.fixture
async def connector(create: Create, provider: FakeOpenId) -> dict[str, Any]:
    """A connector with a scope and a display name."""
    config = {**provider.config, "scope": "openid profile email"}
    made: dict[str, Any] = (await create(config=config, branding={"displayName": "Corp"})).expect(200).body
    return made


@pytest.fixture
def path(connector: dict[str, Any]) -> str:
    return f"/sso-connectors/{connector['id']}"


async def test_created_connector_is_as_recorded(
    create: Create, provider: FakeOpenId, domain: str, like_recording: LikeRecording
) -> None:
    config = {**provider.config, "scope": "openid profile email"}
    reply = await create(config=config, branding={"displayName": "Corp"}, syncProfile=False)
    like_recording("350-create", reply)
    assert reply.body["domains"] == [domain]
    assert reply.body["config"] == {**config, "trustUnverifiedEmail": False}
    paths = {request.path for request in provider.received}
    assert paths == {"/.well-known/openid-configuration"}


@pytest.mark.usefixtures("connector")
async def test_second_connector_of_a_domain_is_accepted(
    create: Create, like_recording: LikeRecording
) -> None:
    like_recording("350-create-same-domain", await create())


async def test_domains_are_stored_in_lower_case(create: Create, domain: str) -> None:
    assert (await create(domains=[domain.upper()])).expect(200).body["domains"] == [domain]


async def test_connector_may_be_created_without_a_configuration(
    workshop: Workshop, api: ManagementApi
) -> None:
    body = {"providerName": "OIDC", "connectorName": workshop.unique("Later")}
    made = (await workshop.post("/sso-connectors", body)).expect(200).body
    assert (made["config"], made["domains"], made["branding"]) == ({}, [], {})
    shown = (await api.get(f"/sso-connectors/{made['id']}")).expect(200).body
    assert "providerConfig" not in shown


async def test_name_is_taken_once(
    connector: dict[str, Any], create: Create, like_recording: LikeRecording
) -> None:
    like_recording("350-create-same-name", await create(connectorName=connector["connectorName"]))


@pytest.mark.parametrize(
    ("recording", "values"),
    [
        ("350-create-unknown-provider", {"providerName": "Nope"}),
        ("350-create-public-domain", {"domains": ["gmail.com"]}),
        ("350-create-incomplete-config", {"config": {"clientId": "a"}}),
    ],
)
async def test_impossible_connector_is_refused_as_recorded(
    create: Create, like_recording: LikeRecording, recording: str, values: dict[str, object]
) -> None:
    like_recording(recording, await create(**values))


async def test_repeated_domain_is_refused(create: Create, domain: str) -> None:
    reply = await create(domains=[domain, domain.upper()])
    assert reply.refusal == (422, "single_sign_on.duplicated_domains")
    assert reply.body["data"] == {"data": [domain]}


async def test_issuer_that_does_not_answer_is_refused(create: Create, provider: FakeOpenId) -> None:
    issuer = "http://localhost:9/none"
    reply = await create(config={**provider.config, "issuer": issuer})
    recorded = load("350-create-unreachable-issuer")["response"]["body"]
    assert reply.refusal == (400, recorded["code"])
    assert reply.body["message"] == recorded["message"]
    known = {name: reply.body["data"][name] for name in ("ssoErrorCode", "config", "message")}
    assert known == {name: recorded["data"][name] for name in known}
    assert reply.body["data"]["error"]["code"] == recorded["data"]["error"]["code"]


async def test_incomplete_metadata_is_refused(create: Create, provider: FakeOpenId) -> None:
    provider.metadata = {"token_endpoint": None}
    reply = await create()
    assert reply.refusal == (400, "connector.invalid_config")
    assert reply.body["data"]["message"] == "invalid_config_response"
    assert set(reply.body["data"]["error"]["fieldErrors"]) == {"token_endpoint"}


async def test_connector_is_read_as_recorded(
    api: ManagementApi, path: str, like_recording: LikeRecording
) -> None:
    like_recording("350-get", await api.get(path))


async def test_connectors_are_listed_like_one(
    api: ManagementApi, path: str, connector: dict[str, Any]
) -> None:
    listed = (await api.get("/sso-connectors")).expect(200).body
    [entry] = [one for one in listed if one["id"] == connector["id"]]
    assert entry == (await api.get(path)).body


async def test_provider_that_is_down_has_no_metadata(
    api: ManagementApi, path: str, provider: FakeOpenId
) -> None:
    provider.refuse(503)
    assert "providerConfig" not in (await api.get(path)).expect(200).body


async def test_any_text_is_accepted_as_a_domain_later(
    api: ManagementApi, path: str, like_recording: LikeRecording
) -> None:
    reply = await api.patch(path, {"domains": ["not a domain"]})
    like_recording("350-patch-bad-domain", reply)
    assert reply.body["domains"] == ["not a domain"]


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"domains": ["gmail.com"]}, (422, "single_sign_on.forbidden_domains")),
        ({"config": {}}, (400, "connector.invalid_config")),
        ({"connectorName": ""}, (400, "guard.invalid_input")),
    ],
    ids=["domain", "config", "name"],
)
async def test_refused_change_leaves_the_connector_unchanged(
    api: ManagementApi, path: str, change: dict[str, object], refusal: tuple[int, str]
) -> None:
    before = (await api.get(path)).body
    assert (await api.patch(path, change)).refusal == refusal
    assert (await api.get(path)).body == before


@pytest.mark.parametrize("missing", ["clientId", "clientSecret", "issuer"])
async def test_configuration_is_replaced_as_a_whole(
    api: ManagementApi, path: str, provider: FakeOpenId, missing: str
) -> None:
    """So a change of one member needs all the others, also the secret."""
    before = (await api.get(path)).body
    config = {name: value for name, value in provider.config.items() if name != missing}
    assert (await api.patch(path, {"config": config})).refusal == (400, "connector.invalid_config")
    assert (await api.get(path)).body == before
    changed = (await api.patch(path, {"config": provider.config})).expect(200).body["config"]
    assert changed == {**provider.config, "trustUnverifiedEmail": False}


async def test_connector_is_configured_later(
    workshop: Workshop, api: ManagementApi, provider: FakeOpenId, domain: str
) -> None:
    body = {"providerName": "OIDC", "connectorName": workshop.unique("Later")}
    made = (await workshop.post("/sso-connectors", body)).expect(200).body
    reserved = f"{made['id']}.sso-test.invalid"
    changes = {"config": provider.config, "domains": [reserved], "branding": {"displayName": "Corp"}}
    changed = (await api.patch(f"/sso-connectors/{made['id']}", changes)).expect(200).body
    assert changed["config"] == {**provider.config, "trustUnverifiedEmail": False}
    assert (changed["domains"], changed["branding"]) == ([reserved], {"displayName": "Corp"})
    assert changed["connectorName"] == made["connectorName"]


async def test_change_to_an_issuer_that_does_not_answer_is_refused(
    api: ManagementApi, path: str, provider: FakeOpenId
) -> None:
    before = (await api.get(path)).body
    config = {**provider.config, "issuer": "http://localhost:9/none"}
    reply = await api.patch(path, {"config": config})
    assert reply.refusal == (400, "connector.invalid_config")
    assert reply.body["data"]["message"] == "fail_to_fetch_config"
    assert (await api.get(path)).body == before


@pytest.mark.parametrize(
    ("metadata", "message"),
    [({"jwks_uri": None}, "invalid_config_response"), ({"issuer": 7}, "invalid_config_response")],
)
async def test_change_to_an_issuer_with_incomplete_metadata_is_refused(
    api: ManagementApi, path: str, provider: FakeOpenId, metadata: dict[str, object], message: str
) -> None:
    provider.metadata = metadata
    reply = await api.patch(path, {"config": provider.config})
    assert reply.refusal == (400, "connector.invalid_config")
    assert reply.body["data"]["message"] == message


async def test_metadata_may_name_another_issuer(create: Create, provider: FakeOpenId) -> None:
    provider.pretends_to_be = "https://accounts.example"
    assert (await create()).expect(200).body["config"]["issuer"] == provider.issuer


async def test_second_connector_of_an_issuer_is_accepted(
    create: Create, connector: dict[str, Any], workshop: Workshop
) -> None:
    made = (await create(domains=[f"other{workshop.tag}.example.test"])).expect(200).body
    assert made["id"] != connector["id"]
    assert made["config"]["issuer"] == connector["config"]["issuer"]


async def test_own_name_is_not_taken(api: ManagementApi, path: str, connector: dict[str, Any]) -> None:
    (await api.patch(path, {"connectorName": connector["connectorName"]})).expect(200)


async def test_change_of_nothing_is_accepted(api: ManagementApi, path: str) -> None:
    assert (await api.patch(path, {})).expect(200).body == (await api.get(path)).body


async def test_unknown_connector_is_not_found(api: ManagementApi, like_recording: LikeRecording) -> None:
    like_recording("350-get-unknown", await api.get("/sso-connectors/nosuch"))


async def test_connector_is_deleted_once(
    api: ManagementApi, path: str, like_recording: LikeRecording
) -> None:
    like_recording("350-delete", await api.delete(path))
    replacing = {path.rpartition("/")[2]: "wzsoi7gqko48"}
    like_recording("358-connector-delete-twice", await api.delete(path), replacing)


async def test_kinds_of_providers_are_listed_as_recorded(
    api: ManagementApi, like_recording: LikeRecording
) -> None:
    reply = await api.get("/sso-connector-providers")
    like_recording("350-providers", reply)
    recorded = load("350-providers")["response"]["body"]
    names = ("providerName", "providerType", "name", "description")
    assert [[one[name] for name in names] for one in reply.body] == [
        [one[name] for name in names] for one in recorded
    ]


# --- just-in-time membership


@pytest.fixture
async def joining(workshop: Workshop) -> str:
    """The path of an organization's enterprise connectors."""
    return f"/organizations/{await workshop.organization()}/jit/sso-connectors"


async def test_connector_is_added_to_an_organization_as_recorded(
    api: ManagementApi, joining: str, connector: dict[str, Any], like_recording: LikeRecording
) -> None:
    body = {"ssoConnectorIds": [connector["id"]]}
    like_recording("351-jit-add", await api.post(joining, body))
    like_recording("351-jit-add-twice", await api.post(joining, body))
    listed = await api.get(joining)
    like_recording("351-jit-list", listed)
    assert [one["id"] for one in listed.body] == [connector["id"]]


async def test_connectors_of_an_organization_are_replaced_as_recorded(
    api: ManagementApi, joining: str, connector: dict[str, Any], like_recording: LikeRecording
) -> None:
    like_recording("351-jit-put", await api.put(joining, {"ssoConnectorIds": [connector["id"]]}))
    (await api.put(joining, {"ssoConnectorIds": []})).expect(204)
    assert (await api.get(joining)).body == []


async def test_unknown_connector_is_not_added(
    api: ManagementApi, joining: str, like_recording: LikeRecording
) -> None:
    like_recording("351-jit-add-unknown", await api.post(joining, {"ssoConnectorIds": ["nosuch"]}))


async def test_connector_is_removed_from_an_organization_once(
    api: ManagementApi, joining: str, connector: dict[str, Any], like_recording: LikeRecording
) -> None:
    (await api.post(joining, {"ssoConnectorIds": [connector["id"]]})).expect(201)
    like_recording("358-jit-remove", await api.delete(f"{joining}/{connector['id']}"))
    like_recording("358-jit-remove-twice", await api.delete(f"{joining}/{connector['id']}"))


async def test_deleted_connector_belongs_to_no_organization(
    api: ManagementApi, joining: str, path: str, connector: dict[str, Any]
) -> None:
    (await api.post(joining, {"ssoConnectorIds": [connector["id"]]})).expect(201)
    (await api.delete(path)).expect(204)
    assert (await api.get(joining)).body == []


@pytest.mark.usefixtures("connector")
async def test_domain_of_a_connector_may_be_a_domain_rule(
    api: ManagementApi, workshop: Workshop, domain: str, like_recording: LikeRecording
) -> None:
    organization = await workshop.organization()
    body = {"emailDomain": domain}
    reply = await api.post(f"/organizations/{organization}/jit/email-domains", body)
    like_recording("351-jit-email-domain-of-sso", reply)
