"""Connectors: how they are created, changed, tested and deleted.

A tenant has at most one connector of each message type, so each test starts without any and deletes its own.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from contract.client import Reply
from contract.conftest import Server
from contract.fixtures import LikeRecording
from contract.mailbox import other_code
from contract.management import ManagementApi
from contract.recordings import load
from local_logto.fakes.gatewayapi import FakeGatewayApi, fake_gatewayapi

PHONE = "15550100002"
NAVER = {"connectorId": "naver-universal", "config": {"clientId": "c", "clientSecret": "s"}}
FACTORIES = {
    "mailgun-email": ("Email", "mailgun-email"),
    "gatewayapi-sms": ("Sms", "gatewayapi-sms"),
    "naver-universal": ("Social", "naver"),
    "mock-email-service": ("Email", "mock-mail"),
    "mock-short-message-service": ("Sms", "mock-sms"),
}


def recorded(name: str) -> Any:
    """Return the body that was sent for a recording."""
    return load(name)["request"]["body"]


@pytest.fixture
async def connectors(server: Server, api: ManagementApi) -> AsyncIterator[ManagementApi]:
    """The Management API of a tenant without connectors. Connectors that a test creates are deleted."""
    if not server.is_ours:
        pytest.skip("this test replaces connectors, which needs CONTRACT_LOGTO_IS_OURS=1")
    assert (await api.get("/connectors")).expect(200).body == []
    yield api
    for connector in (await api.get("/connectors")).expect(200).body:
        (await api.delete(f"/connectors/{connector['id']}")).expect(204)


async def created(api: ManagementApi, body: object) -> dict[str, Any]:
    connector: dict[str, Any] = (await api.post("/connectors", body)).expect(200).body
    return connector


@pytest.fixture
async def naver(connectors: ManagementApi) -> str:
    """The path of a social connector."""
    return f"/connectors/{(await created(connectors, recorded('212-connector-naver')))['id']}"


@pytest.mark.parametrize("name", ["80-create-mock-email", "80-create-mock-sms", "212-connector-naver"])
async def test_created_connector_is_as_recorded(
    connectors: ManagementApi, like_recording: LikeRecording, name: str
) -> None:
    like_recording(name, await connectors.post("/connectors", recorded(name)))


async def test_changed_connector_is_as_recorded(
    connectors: ManagementApi, naver: str, like_recording: LikeRecording
) -> None:
    changed = await connectors.patch(naver, recorded("212-connector-naver-patch"))
    like_recording("212-connector-naver-patch", changed)
    assert naver == f"/connectors/{changed.body['id']}"
    assert changed.body["config"] == {"clientId": "c2", "clientSecret": "s2"}
    assert (await connectors.get(naver)).expect(200).body == changed.body


@pytest.mark.usefixtures("naver")
async def test_second_connector_of_a_social_provider_is_refused(
    connectors: ManagementApi, like_recording: LikeRecording
) -> None:
    reply = await connectors.post("/connectors", recorded("212-connector-naver"))
    like_recording("212-connector-naver-again", reply)


async def test_deleting_a_connector_is_as_recorded(
    connectors: ManagementApi, naver: str, like_recording: LikeRecording
) -> None:
    like_recording("212-connector-naver-delete", await connectors.delete(naver))


@pytest.mark.parametrize(
    ("method", "body"), [("GET", None), ("PATCH", {"config": NAVER["config"]}), ("DELETE", None)]
)
async def test_deleted_connector_is_not_found(
    connectors: ManagementApi, naver: str, method: str, body: object
) -> None:
    (await connectors.delete(naver)).expect(204)
    assert (await connectors.send(method, naver, body)).refusal == (404, "entity.not_found")


@pytest.fixture
async def of_every_type(connectors: ManagementApi) -> list[dict[str, Any]]:
    """Connectors for email, text messages and Naver."""
    names = ("80-create-mock-email", "80-create-mock-sms", "212-connector-naver")
    return [await created(connectors, recorded(name)) for name in names]


async def test_connectors_are_listed_as_recorded(
    connectors: ManagementApi, of_every_type: list[dict[str, Any]], like_recording: LikeRecording
) -> None:
    listed = await connectors.get("/connectors")
    like_recording("212-connectors", listed)
    assert len(listed.body) == len(of_every_type)


@pytest.mark.usefixtures("of_every_type")
async def test_list_can_be_limited_to_a_target(connectors: ManagementApi) -> None:
    [naver] = (await connectors.get("/connectors", target="naver")).expect(200).body
    assert naver["connectorId"] == "naver-universal"


async def test_second_connector_of_a_message_type_replaces_the_first(
    connectors: ManagementApi, of_every_type: list[dict[str, Any]]
) -> None:
    mailgun = {"domain": "mg.example.test", "apiKey": "k", "from": "a@example.test", "deliveries": {}}
    second = await created(connectors, {"connectorId": "mailgun-email", "config": mailgun, "id": "mailgun"})
    listed = (await connectors.get("/connectors")).expect(200).body
    assert second["id"] == "mailgun"
    assert sorted(entry["type"] for entry in listed) == ["Email", "Sms", "Social"]
    assert of_every_type[0]["id"] not in {entry["id"] for entry in listed}


async def test_new_configuration_replaces_the_old_one_and_drops_empty_values(
    connectors: ManagementApi,
) -> None:
    connector = await created(connectors, {**NAVER, "syncProfile": True})
    assert connector["syncProfile"] is True
    config = {"clientId": "c", "clientSecret": "s", "note": "", "more": {"empty": [], "kept": [0, False]}}
    changed = await connectors.patch(f"/connectors/{connector['id']}", {"config": config})
    kept = {"clientId": "c", "clientSecret": "s", "more": {"kept": [0, False]}}
    assert changed.expect(200).body["config"] == kept
    assert changed.body["syncProfile"] is True


@pytest.mark.parametrize(
    "name",
    [
        "212-connector-unknown",
        "212-connector-mailgun-bad-endpoint",
        "212-connector-gatewayapi-missing-templates",
    ],
)
async def test_impossible_connector_is_refused_as_recorded(
    connectors: ManagementApi, like_recording: LikeRecording, name: str
) -> None:
    like_recording(name, await connectors.post("/connectors", recorded(name)))


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"config": {}}, (400, "connector.invalid_config")),
        ({"syncProfile": True}, (422, "connector.invalid_type_for_syncing_profile")),
        (
            {"metadata": {"target": "x"}},
            (400, "connector.cannot_overwrite_metadata_for_non_standard_connector"),
        ),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
async def test_refused_change_leaves_the_connector_unchanged(
    connectors: ManagementApi, change: dict[str, object], refusal: tuple[int, str]
) -> None:
    connector = await created(connectors, recorded("80-create-mock-sms"))
    path = f"/connectors/{connector['id']}"
    assert (await connectors.patch(path, change)).refusal == refusal
    assert (await connectors.get(path)).expect(200).body == connector


async def test_delivery_without_text_or_template_is_refused(connectors: ManagementApi) -> None:
    config = {"domain": "d", "apiKey": "k", "from": "f", "deliveries": {"Generic": {"subject": "s"}}}
    reply = await connectors.post("/connectors", {"connectorId": "mailgun-email", "config": config})
    assert reply.refusal == (400, "connector.invalid_config")
    [issue] = reply.body["data"]["issues"]
    assert (issue["code"], issue["path"]) == ("invalid_union", ["deliveries", "Generic"])


# --- the test message


@pytest.fixture
async def gatewayapi() -> AsyncIterator[FakeGatewayApi]:
    async with fake_gatewayapi(api_token="t") as running:
        yield running


async def test_test_message_is_sent_as_recorded(
    connectors: ManagementApi, gatewayapi: FakeGatewayApi, like_recording: LikeRecording
) -> None:
    body = recorded("212-connector-gatewayapi-test")
    body["config"]["endpoint"] = gatewayapi.endpoint
    like_recording(
        "212-connector-gatewayapi-test", await connectors.post("/connectors/gatewayapi-sms/test", body)
    )
    message = (await gatewayapi.next_message("15550100001")).json["message"]
    assert message == "Generic 000000"


async def test_refusal_of_the_message_service_is_reported(
    connectors: ManagementApi, gatewayapi: FakeGatewayApi
) -> None:
    body = recorded("212-connector-gatewayapi-test")
    body["config"] |= {"endpoint": gatewayapi.endpoint, "apiToken": "wrong"}
    refused = await connectors.post("/connectors/gatewayapi-sms/test", body)
    assert refused.refusal == (400, "connector.general")
    assert "Invalid token" in refused.body["data"]["message"]


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("gatewayapi-sms", {"email": "a@example.test"}, "connector.unexpected_type"),
        ("naver-universal", {"phone": "15550100001"}, "connector.not_found"),
        ("nope", {"phone": "15550100001"}, "connector.not_found"),
        ("mailgun-email", {}, "guard.invalid_input"),
        ("mailgun-email", {"email": "a@example.test"}, "connector.invalid_config"),
    ],
)
async def test_test_message_that_cannot_be_sent_is_refused(
    connectors: ManagementApi, path: str, body: dict[str, object], code: str
) -> None:
    reply = await connectors.post(f"/connectors/{path}/test", {**body, "config": {}})
    assert reply.refusal == (400, code)


# --- connector factories


@pytest.mark.parametrize("name", FACTORIES)
async def test_factory_is_listed_and_can_be_read(api: ManagementApi, server: Server, name: str) -> None:
    if name.startswith("mock-") and not server.is_ours:
        pytest.skip("the named Logto may have no mock connectors")
    listed = {entry["id"]: entry for entry in (await api.get("/connector-factories")).expect(200).body}
    factory = listed[name]
    assert (factory["type"], factory["target"]) == FACTORIES[name]
    assert factory["name"]["en"]
    assert (await api.get(f"/connector-factories/{name}")).expect(200).body == factory


async def test_factory_has_the_members_of_a_connector_without_its_settings(api: ManagementApi) -> None:
    factory = (await api.get("/connector-factories/naver-universal")).expect(200).body
    assert set(factory) == set(load("212-connector-naver")["response"]["body"]) - {
        *("syncProfile", "enableTokenStorage", "config", "metadata", "connectorId", "extraInfo")
    }


async def test_unknown_factory_is_not_found(api: ManagementApi) -> None:
    assert (await api.get("/connector-factories/nope")).refusal == (404, "entity.not_found")


# --- verification codes for the application's own purposes


@pytest.fixture
async def text_messages(connectors: ManagementApi, gatewayapi: FakeGatewayApi) -> FakeGatewayApi:
    """The service to which a connector of the tenant sends text messages."""
    config = {**recorded("212-connector-gatewayapi-test")["config"], "endpoint": gatewayapi.endpoint}
    await created(connectors, {"connectorId": "gatewayapi-sms", "config": config})
    return gatewayapi


@pytest.fixture
async def code(connectors: ManagementApi, text_messages: FakeGatewayApi) -> str:
    """A code that was sent to ``PHONE``."""
    (await connectors.post("/verification-codes", {"phone": PHONE})).expect(204)
    return await text_messages.next_code(PHONE)


async def verify_code(api: ManagementApi, code: str) -> Reply:
    body = {"phone": PHONE, "verificationCode": code}
    return await api.post("/verification-codes/verify", body)


@pytest.mark.usefixtures("text_messages")
async def test_code_is_sent_as_recorded(connectors: ManagementApi, like_recording: LikeRecording) -> None:
    reply = await connectors.post("/verification-codes", {"phone": PHONE})
    like_recording("81-request-verification-code", reply)


async def test_wrong_code_is_refused(connectors: ManagementApi, code: str) -> None:
    reply = await verify_code(connectors, other_code(code))
    assert reply.refusal == (400, "verification_code.code_mismatch")


async def test_code_is_accepted_once(connectors: ManagementApi, code: str) -> None:
    (await verify_code(connectors, code)).expect(204)
    assert (await verify_code(connectors, code)).refusal == (400, "verification_code.not_found")


async def test_code_that_cannot_be_sent_is_refused(
    connectors: ManagementApi, text_messages: FakeGatewayApi
) -> None:
    text_messages.credit = 0
    reply = await connectors.post("/verification-codes", {"phone": PHONE})
    assert reply.refusal == (400, "connector.general")


async def test_code_without_a_recipient_is_refused(api: ManagementApi) -> None:
    assert (await api.post("/verification-codes", {})).refusal == (400, "guard.invalid_input")


# --- email templates


def template(usage: str, subject: str) -> dict[str, object]:
    details = {"subject": subject, "content": "{{code}}"}
    return {"languageTag": "xx", "templateType": usage, "details": details}


@pytest.fixture
async def templates(connectors: ManagementApi) -> AsyncIterator[list[dict[str, Any]]]:
    """Templates for signing in and for everything else, in a language that no other test uses."""
    body = {"templates": [template("SignIn", "a"), template("Generic", "b")]}
    stored: list[dict[str, Any]] = (await connectors.put("/email-templates", body)).expect(200).body
    yield stored
    query = {"languageTag": "xx"}
    (await connectors.send("DELETE", "/email-templates", query=query)).expect(200)


async def test_stored_template_has_these_members(templates: list[dict[str, Any]]) -> None:
    expected = ["createdAt", "details", "id", "languageTag", "templateType", "tenantId"]
    assert sorted(templates[0]) == expected


async def test_template_replaces_that_of_its_language_and_usage(
    connectors: ManagementApi, templates: list[dict[str, Any]]
) -> None:
    reply = await connectors.put("/email-templates", {"templates": [template("SignIn", "c")]})
    assert reply.expect(200).body[0]["id"] == templates[0]["id"]
    stored = (await connectors.get(f"/email-templates/{templates[0]['id']}")).expect(200).body
    assert stored["details"]["subject"] == "c"


async def test_changed_details_keep_the_other_details(
    connectors: ManagementApi, templates: list[dict[str, Any]]
) -> None:
    path = f"/email-templates/{templates[0]['id']}"
    await connectors.patch(f"{path}/details", {"replyTo": "help@example.test"})
    details = (await connectors.get(path)).expect(200).body["details"]
    assert details == {"subject": "a", "content": "{{code}}", "replyTo": "help@example.test"}


@pytest.mark.usefixtures("templates")
async def test_templates_of_a_language_are_listed_by_usage(connectors: ManagementApi) -> None:
    listed = (await connectors.get("/email-templates", languageTag="xx")).expect(200).body
    assert [entry["templateType"] for entry in listed] == ["Generic", "SignIn"]


async def test_deleted_template_is_gone(connectors: ManagementApi, templates: list[dict[str, Any]]) -> None:
    path = f"/email-templates/{templates[0]['id']}"
    (await connectors.delete(path)).expect(204)
    assert (await connectors.get(path)).status == 404


async def test_templates_cannot_be_deleted_without_a_filter(connectors: ManagementApi) -> None:
    reply = await connectors.delete("/email-templates")
    assert reply.refusal == (422, "connector.email_connector.bulk_deletion_no_filter")


@pytest.mark.usefixtures("templates")
async def test_templates_of_a_language_can_be_deleted_at_once(connectors: ManagementApi) -> None:
    reply = await connectors.send("DELETE", "/email-templates", query={"languageTag": "xx"})
    assert reply.expect(200).body == {"rowCount": 2}


@pytest.mark.parametrize(
    ("usage", "details"),
    [("Test", {"subject": "s", "content": "c"}), ("SignIn", {})],
    ids=["unknown usage", "no details"],
)
async def test_incomplete_template_is_refused(
    connectors: ManagementApi, usage: str, details: dict[str, str]
) -> None:
    refused = {"languageTag": "en", "templateType": usage, "details": details}
    reply = await connectors.put("/email-templates", {"templates": [refused]})
    assert reply.refusal == (400, "guard.invalid_input")
