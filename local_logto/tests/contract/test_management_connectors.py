"""Connectors: made, changed, tried out and deleted as recorded. A tenant has few, so each test puts back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from contract.client import Reply
from contract.conftest import Server
from contract.fixtures import LikeRecording
from contract.management import ManagementApi
from contract.recordings import load
from local_logto.fakes.gatewayapi import fake_gatewayapi

NAVER = {"connectorId": "naver-universal", "config": {"clientId": "c", "clientSecret": "s"}}
FACTORIES = {
    "mailgun-email": ("Email", "mailgun-email"),
    "gatewayapi-sms": ("Sms", "gatewayapi-sms"),
    "naver-universal": ("Social", "naver"),
    "mock-email-service": ("Email", "mock-mail"),
    "mock-short-message-service": ("Sms", "mock-sms"),
}


def recorded(name: str) -> Any:
    """The body that was sent for the recording."""
    return load(name)["request"]["body"]


@pytest.fixture
async def connectors(server: Server, api: ManagementApi) -> AsyncIterator[ManagementApi]:
    """A tenant without connectors, and without them again at the end."""
    if not server.is_ours:
        pytest.skip("the connectors of the named Logto are not ours to replace")
    assert (await api.get("/connectors")).expect(200).body == []
    yield api
    for connector in (await api.get("/connectors")).expect(200).body:
        (await api.delete(f"/connectors/{connector['id']}")).expect(204)


async def made(api: ManagementApi, body: object) -> dict[str, Any]:
    connector: dict[str, Any] = (await api.post("/connectors", body)).expect(200).body
    return connector


def refusal(reply: Reply) -> tuple[int, str]:
    return reply.status, reply.body["code"]


async def test_social_connector_lives_as_recorded(
    connectors: ManagementApi, like_recording: LikeRecording
) -> None:
    created = await connectors.post("/connectors", recorded("212-connector-naver"))
    like_recording("212-connector-naver", created)
    path = f"/connectors/{created.body['id']}"
    changed = await connectors.patch(path, recorded("212-connector-naver-patch"))
    like_recording("212-connector-naver-patch", changed)
    assert changed.body["id"] == created.body["id"]
    assert changed.body["config"] == {"clientId": "c2", "clientSecret": "s2"}
    assert (await connectors.get(path)).expect(200).body == changed.body
    like_recording(
        "212-connector-naver-again", await connectors.post("/connectors", recorded("212-connector-naver"))
    )
    like_recording("212-connector-naver-delete", await connectors.delete(path))
    assert refusal(await connectors.get(path)) == (404, "entity.not_found")
    assert refusal(await connectors.patch(path, {"config": NAVER["config"]})) == (404, "entity.not_found")
    assert refusal(await connectors.delete(path)) == (404, "entity.not_found")


async def test_message_connectors_are_made_and_listed_as_recorded(
    connectors: ManagementApi, like_recording: LikeRecording
) -> None:
    for name in ("80-create-mock-email", "80-create-mock-sms", "212-connector-naver"):
        like_recording(name, await connectors.post("/connectors", recorded(name)))
    listed = await connectors.get("/connectors")
    like_recording("212-connectors", listed)
    assert len(listed.body) == 3
    [naver] = (await connectors.get("/connectors", target="naver")).expect(200).body
    assert naver["connectorId"] == "naver-universal"


async def test_second_connector_of_a_message_type_replaces_the_first(connectors: ManagementApi) -> None:
    await made(connectors, NAVER)
    first = await made(connectors, recorded("80-create-mock-email"))
    await made(connectors, recorded("80-create-mock-sms"))
    mailgun = {"domain": "mg.example.test", "apiKey": "k", "from": "a@example.test", "deliveries": {}}
    second = await made(connectors, {"connectorId": "mailgun-email", "config": mailgun, "id": "mailgun"})
    listed = (await connectors.get("/connectors")).expect(200).body
    assert second["id"] == "mailgun"
    assert sorted(entry["type"] for entry in listed) == ["Email", "Sms", "Social"]
    assert first["id"] not in {entry["id"] for entry in listed}


async def test_configuration_is_replaced_whole_without_what_is_empty(connectors: ManagementApi) -> None:
    connector = await made(connectors, {**NAVER, "syncProfile": True})
    assert connector["syncProfile"] is True
    config = {"clientId": "c", "clientSecret": "s", "note": "", "more": {"empty": [], "kept": [0, False]}}
    changed = await connectors.patch(f"/connectors/{connector['id']}", {"config": config})
    kept = {"clientId": "c", "clientSecret": "s", "more": {"kept": [0, False]}}
    assert changed.expect(200).body["config"] == kept
    assert changed.body["syncProfile"] is True


async def test_unknown_kind_is_refused_as_recorded(
    connectors: ManagementApi, like_recording: LikeRecording
) -> None:
    reply = await connectors.post("/connectors", recorded("212-connector-unknown"))
    like_recording("212-connector-unknown", reply)


@pytest.mark.parametrize(
    "name", ["212-connector-mailgun-bad-endpoint", "212-connector-gatewayapi-missing-templates"]
)
async def test_bad_configuration_is_refused_as_recorded(
    connectors: ManagementApi, like_recording: LikeRecording, name: str
) -> None:
    like_recording(name, await connectors.post("/connectors", recorded(name)))


async def test_bad_change_leaves_the_connector_as_it_was(connectors: ManagementApi) -> None:
    connector = await made(connectors, recorded("80-create-mock-sms"))
    path = f"/connectors/{connector['id']}"
    assert refusal(await connectors.patch(path, {"config": {}})) == (400, "connector.invalid_config")
    assert refusal(await connectors.patch(path, {"syncProfile": True})) == (
        422,
        "connector.invalid_type_for_syncing_profile",
    )
    assert refusal(await connectors.patch(path, {"metadata": {"target": "x"}})) == (
        400,
        "connector.cannot_overwrite_metadata_for_non_standard_connector",
    )
    assert (await connectors.get(path)).expect(200).body == connector


async def test_delivery_is_a_text_or_a_template(connectors: ManagementApi) -> None:
    config = {"domain": "d", "apiKey": "k", "from": "f", "deliveries": {"Generic": {"subject": "s"}}}
    reply = await connectors.post("/connectors", {"connectorId": "mailgun-email", "config": config})
    assert refusal(reply) == (400, "connector.invalid_config")
    [issue] = reply.body["data"]["issues"]
    assert (issue["code"], issue["path"]) == ("invalid_union", ["deliveries", "Generic"])


# --- the test message


async def test_test_message_is_sent_as_recorded(
    connectors: ManagementApi, like_recording: LikeRecording
) -> None:
    body = recorded("212-connector-gatewayapi-test")
    async with fake_gatewayapi(api_token="t") as gatewayapi:
        body["config"]["endpoint"] = gatewayapi.endpoint
        reply = await connectors.post("/connectors/gatewayapi-sms/test", body)
        like_recording("212-connector-gatewayapi-test", reply)
        message = (await gatewayapi.next_message("15550100001")).json["message"]
        assert message == "Generic 000000"
        body["config"]["apiToken"] = "wrong"
        refused = await connectors.post("/connectors/gatewayapi-sms/test", body)
    assert refusal(refused) == (400, "connector.general")
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
    assert refusal(reply) == (400, code)


# --- what can be made


async def test_connector_factories_say_what_can_be_made(api: ManagementApi, server: Server) -> None:
    listed = {entry["id"]: entry for entry in (await api.get("/connector-factories")).expect(200).body}
    wanted = FACTORIES if server.is_ours else {name for name in FACTORIES if not name.startswith("mock-")}
    assert set(wanted) <= set(listed)
    shown = set(load("212-connector-naver")["response"]["body"]) - {
        *("syncProfile", "enableTokenStorage", "config", "metadata", "connectorId", "extraInfo")
    }
    assert set(listed["naver-universal"]) == shown
    for name in wanted:
        factory = listed[name]
        assert (factory["type"], factory["target"]) == FACTORIES[name]
        assert factory["name"]["en"]
        assert (await api.get(f"/connector-factories/{name}")).expect(200).body == factory


async def test_unknown_factory(api: ManagementApi) -> None:
    assert refusal(await api.get("/connector-factories/nope")) == (404, "entity.not_found")


# --- codes and texts of the Management API


async def test_code_for_the_products_own_purposes_is_sent_as_recorded(
    connectors: ManagementApi, like_recording: LikeRecording
) -> None:
    config = recorded("212-connector-gatewayapi-test")["config"]
    async with fake_gatewayapi(api_token="t") as gatewayapi:
        config["endpoint"] = gatewayapi.endpoint
        await made(connectors, {"connectorId": "gatewayapi-sms", "config": config})
        reply = await connectors.post("/verification-codes", {"phone": "15550100002"})
        like_recording("81-request-verification-code", reply)
        code = await gatewayapi.next_code("15550100002")
        wrong = "000000" if code != "000000" else "000001"
        answer = {"phone": "15550100002", "verificationCode": wrong}
        verify = "/verification-codes/verify"
        assert refusal(await connectors.post(verify, answer)) == (400, "verification_code.code_mismatch")
        answer["verificationCode"] = code
        (await connectors.post(verify, answer)).expect(204)
        assert refusal(await connectors.post(verify, answer)) == (400, "verification_code.not_found")
        gatewayapi.credit = 0
        unsent = await connectors.post("/verification-codes", {"phone": "15550100002"})
    assert refusal(unsent) == (400, "connector.general")


async def test_code_for_nobody_is_refused(api: ManagementApi) -> None:
    assert refusal(await api.post("/verification-codes", {})) == (400, "guard.invalid_input")


async def test_email_templates_are_kept_by_language_and_usage(connectors: ManagementApi) -> None:
    def template(language: str, usage: str, subject: str) -> dict[str, object]:
        details = {"subject": subject, "content": "{{code}}"}
        return {"languageTag": language, "templateType": usage, "details": details}

    templates = [template("xx", "SignIn", "a"), template("xx", "Generic", "b")]
    stored = (await connectors.put("/email-templates", {"templates": templates})).expect(200).body
    assert sorted(stored[0]) == ["createdAt", "details", "id", "languageTag", "templateType", "tenantId"]
    again = await connectors.put("/email-templates", {"templates": [template("xx", "SignIn", "c")]})
    assert again.expect(200).body[0]["id"] == stored[0]["id"]
    one = f"/email-templates/{stored[0]['id']}"
    await connectors.patch(f"{one}/details", {"replyTo": "help@example.test"})
    details = (await connectors.get(one)).expect(200).body["details"]
    assert details == {"subject": "c", "content": "{{code}}", "replyTo": "help@example.test"}
    listed = (await connectors.get("/email-templates", languageTag="xx")).expect(200).body
    assert [entry["templateType"] for entry in listed] == ["Generic", "SignIn"]
    (await connectors.delete(one)).expect(204)
    assert (await connectors.get(one)).status == 404
    without_filter = await connectors.delete("/email-templates")
    assert refusal(without_filter) == (422, "connector.email_connector.bulk_deletion_no_filter")
    rest = await connectors.send("DELETE", "/email-templates", query={"languageTag": "xx"})
    assert rest.expect(200).body == {"rowCount": 1}


@pytest.mark.parametrize(
    "template",
    [{"languageTag": "en", "templateType": "Test"}, {"languageTag": "en", "templateType": "SignIn"}],
)
async def test_email_template_without_a_known_usage_and_details_is_refused(
    connectors: ManagementApi, template: dict[str, str]
) -> None:
    details = {} if template["templateType"] == "SignIn" else {"subject": "s", "content": "c"}
    reply = await connectors.put("/email-templates", {"templates": [{**template, "details": details}]})
    assert refusal(reply) == (400, "guard.invalid_input")
