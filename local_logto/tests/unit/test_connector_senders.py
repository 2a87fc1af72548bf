"""Requests to Mailgun and GatewayAPI, byte for byte, and how their failures are reported."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from local_logto.connectors.custom_templates import email_templates
from local_logto.connectors.factories import GATEWAYAPI, MAILGUN, MOCK_EMAIL, MOCK_SMS
from local_logto.connectors.mailgun import DEFAULT_ENDPOINT, form_of, messages_url
from local_logto.connectors.sending import Kind, Outgoing, send_by
from local_logto.errors import RequestError
from local_logto.fakes.gatewayapi import API_TOKEN, FakeGatewayApi, fake_gatewayapi
from local_logto.fakes.mailgun import (
    API_KEY,
    DOMAIN,
    EU_DOMAIN,
    FakeMailgun,
    fake_mailgun,
    fake_mailgun_regions,
)
from local_logto.management.sign_in_exp import SEED
from local_logto.messages import list_messages
from local_logto.settings import Settings
from local_logto.settings_rows import SIGN_IN_EXP, write_setting
from local_logto.store import Store, new_id

NINA = "nina@example.test"
SENDER = "Workroom <hello@mg.workroom.example>"
PHONE = "4512345678"
CODE: Mapping[str, object] = {"code": "123456"}
REQUIRED = ("Register", "SignIn", "ForgotPassword", "Generic")


@pytest.fixture
async def store(store: Store) -> Store:
    write_setting(store, SIGN_IN_EXP, SEED)
    return store


@pytest.fixture
async def mailgun() -> AsyncIterator[FakeMailgun]:
    async with fake_mailgun() as mailgun:
        yield mailgun


@pytest.fixture
async def gatewayapi() -> AsyncIterator[FakeGatewayApi]:
    async with fake_gatewayapi() as gatewayapi:
        yield gatewayapi


def by_mailgun(**deliveries: Mapping[str, object]) -> dict[str, Any]:
    generic = {"subject": "A code", "html": "<b>{{code}}</b>"}
    return {
        "domain": DOMAIN,
        "apiKey": API_KEY,
        "from": SENDER,
        "deliveries": {"Generic": generic, **deliveries},
    }


def by_gatewayapi(endpoint: str, **changes: object) -> dict[str, Any]:
    templates = [{"usageType": usage, "content": f"{usage} {{{{code}}}}"} for usage in REQUIRED]
    config = {"endpoint": endpoint, "apiToken": API_TOKEN, "sender": "Workroom", "templates": templates}
    return config | changes


async def mail(
    store: Store,
    base_url: str,
    config: dict[str, Any],
    usage: str = "SignIn",
    payload: Mapping[str, object] = CODE,
    **settings: Any,
) -> None:
    message = Outgoing("email", NINA, usage, payload)
    await send_by(store, Settings(mailgun_base_url=base_url, **settings), MAILGUN, config, message)


async def text(
    store: Store, config: dict[str, Any], usage: str = "SignIn", to: str = PHONE, **settings: Any
) -> None:
    message = Outgoing("phone", to, usage, CODE)
    await send_by(store, Settings(**settings), GATEWAYAPI, config, message)


def add_template(store: Store, language: str, usage: str, **details: str) -> None:
    values = {"id": new_id(), "language_tag": language, "template_type": usage, "created_at": 0}
    with store.begin() as connection:
        connection.execute(email_templates.insert().values(**values, details=details))


@asynccontextmanager
async def serving_text(answer: str) -> AsyncIterator[str]:
    """Serve an address that replies to every connection with this text."""

    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer.encode())
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(say, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


# --- Mailgun


async def test_mailgun_gets_the_documented_form(store: Store, mailgun: FakeMailgun) -> None:
    delivery = {
        "subject": "Hello {{code}}",
        "html": "<p>Hi ~ * {{code}}</p>",
        "text": "Hi {{code}}",
        "replyTo": "help@workroom.example",
    }
    await mail(store, mailgun.base_url, by_mailgun(SignIn=delivery))
    [posted] = mailgun.received
    assert (posted.method, posted.target) == ("POST", f"/v3/{DOMAIN}/messages")
    assert posted.header("authorization") == f"Basic {base64.b64encode(b'api:' + API_KEY.encode()).decode()}"
    assert posted.header("content-type") == "application/x-www-form-urlencoded"
    assert posted.body == (
        b"from=Workroom+%3Chello%40mg.workroom.example%3E&to=nina%40example.test&subject=Hello+123456"
        b"&h%3AReply-To=help%40workroom.example&html=%3Cp%3EHi+%7E+*+123456%3C%2Fp%3E&text=Hi+123456"
    )


async def test_values_that_are_not_configured_are_not_posted(store: Store, mailgun: FakeMailgun) -> None:
    await mail(store, mailgun.base_url, by_mailgun(SignIn={"html": "{{code}}"}))
    assert mailgun.received[0].form == {"from": SENDER, "to": NINA, "html": "123456"}


async def test_template_stored_at_mailgun_gets_its_variables(store: Store, mailgun: FakeMailgun) -> None:
    delivery = {"template": "sign-in", "variables": {"brand": "Köln", "code": "none"}, "subject": "Hi"}
    await mail(store, mailgun.base_url, by_mailgun(SignIn=delivery), payload={**CODE, "locale": "es"})
    form = mailgun.received[0].form
    assert form.pop("h:X-Mailgun-Variables") == '{"brand":"Köln","code":"123456","locale":"es"}'
    assert form == {"from": SENDER, "to": NINA, "subject": "Hi", "template": "sign-in"}


async def test_generic_delivery_replaces_a_missing_one(store: Store, mailgun: FakeMailgun) -> None:
    await mail(store, mailgun.base_url, by_mailgun(), usage="BindMfa")
    assert mailgun.received[0].form["html"] == "<b>123456</b>"


async def test_without_any_delivery_nothing_is_posted(store: Store, mailgun: FakeMailgun) -> None:
    config = by_mailgun() | {"deliveries": {"SignIn": {"html": "{{code}}"}}}
    with pytest.raises(RequestError) as caught:
        await mail(store, mailgun.base_url, config, usage="BindMfa")
    assert (caught.value.status, caught.value.code) == (400, "connector.template_not_found")
    assert mailgun.received == []


async def test_name_of_an_organization_cannot_become_markup(store: Store, mailgun: FakeMailgun) -> None:
    named = "Hi {{organization.name}}"
    delivery = {"subject": named, "html": f"<p>{named}</p>", "text": named}
    payload = {"organization": {"name": "<a href=//x>"}}
    await mail(store, mailgun.base_url, by_mailgun(SignIn=delivery), payload=payload)
    form = mailgun.received[0].form
    assert form["html"] == "<p>Hi &lt;a href=//x&gt;</p>"
    assert (form["subject"], form["text"]) == ("Hi <a href=//x>", "Hi <a href=//x>")


async def test_custom_template_has_precedence_over_the_deliveries(store: Store, mailgun: FakeMailgun) -> None:
    add_template(
        store,
        "es",
        "SignIn",
        subject="Código {{code}}",
        content="Hola <{{organization.name}}>",
        contentType="text/plain",
        replyTo="{{code}}@workroom.example",
        sendFrom="Taller <hola@mg.workroom.example>",
    )
    payload = {**CODE, "locale": "es", "organization": {"name": "B&B"}}
    await mail(store, mailgun.base_url, by_mailgun(), payload=payload)
    assert list(mailgun.received[0].form.items()) == [
        ("from", "Taller <hola@mg.workroom.example>"),
        ("to", NINA),
        ("subject", "Código 123456"),
        ("h:Reply-To", "123456@workroom.example"),
        ("html", "Hola <B&amp;B>"),
        ("text", "Hola <B&B>"),
    ]


@pytest.mark.parametrize(
    ("stored", "locale", "expected"),
    [
        ([("es", "SignIn"), ("en", "SignIn"), ("en", "Generic")], "es", "es SignIn"),
        ([("es", "SignIn"), ("en", "SignIn"), ("en", "Generic")], "de", "en SignIn"),
        ([("es", "Register"), ("en", "Generic")], "es", "en Generic"),
        ([("es", "Generic"), ("es", "Register")], "es", "<b>123456</b>"),
    ],
)
async def test_custom_template_is_found_by_language_then_by_the_fallback(
    store: Store, mailgun: FakeMailgun, stored: list[tuple[str, str]], locale: str, expected: str
) -> None:
    for language, usage in stored:
        add_template(store, language, usage, subject="s", content=f"{language} {usage}")
    await mail(store, mailgun.base_url, by_mailgun(), payload={**CODE, "locale": locale})
    assert mailgun.received[0].form["html"] == expected


def test_messages_are_posted_to_the_endpoint_of_the_connector() -> None:
    assert messages_url(DEFAULT_ENDPOINT, DOMAIN) == f"https://api.mailgun.net/v3/{DOMAIN}/messages"
    assert messages_url("https://api.eu.mailgun.net", "a b") == "https://api.eu.mailgun.net/v3/a%20b/messages"


def test_form_is_encoded_like_urlsearchparams() -> None:
    assert form_of({"a b": "*-._~ é\n+&="}) == b"a+b=*-._%7E+%C3%A9%0A%2B%26%3D"


async def test_domain_of_the_other_region_is_refused(store: Store) -> None:
    async with fake_mailgun_regions() as (us, eu):
        await mail(store, eu.base_url, by_mailgun() | {"domain": EU_DOMAIN})
        with pytest.raises(RequestError) as caught:
            await mail(store, us.base_url, by_mailgun() | {"domain": EU_DOMAIN})
    body = json.dumps({"message": f"Domain not found: {EU_DOMAIN}"})
    assert caught.value.data == {"statusCode": 404, "body": body}


@pytest.mark.parametrize("endpoint", ["http://localhost:1", "https://api.mailgun.net/", "nonsense"])
async def test_endpoint_that_is_not_mailguns_is_refused(store: Store, endpoint: str) -> None:
    with pytest.raises(RequestError) as caught:
        await mail(store, "", by_mailgun() | {"endpoint": endpoint})
    assert caught.value.code == "connector.invalid_config"
    assert "endpoint" in str(caught.value.details)


# --- GatewayAPI


async def test_gatewayapi_gets_the_documented_json(store: Store, gatewayapi: FakeGatewayApi) -> None:
    config = by_gatewayapi(gatewayapi.endpoint, sender="Köln")
    config["templates"][1]["content"] = "Código {{code}}"
    gatewayapi.refuse(200, {"ids": [1]})
    await text(store, config)
    [posted] = gatewayapi.received
    assert (posted.method, posted.target) == ("POST", "/rest/mtsms")
    assert posted.header("authorization") == f"Basic {base64.b64encode(f'{API_TOKEN}:'.encode()).decode()}"
    assert posted.header("content-type") == "application/json"
    expected = '{"sender":"Köln","message":"Código 123456","recipients":[{"msisdn":"4512345678"}]}'
    assert posted.body == expected.encode()


async def test_generic_text_replaces_a_missing_one(store: Store, gatewayapi: FakeGatewayApi) -> None:
    await text(store, by_gatewayapi(gatewayapi.endpoint), usage="BindMfa")
    assert gatewayapi.received[0].json["message"] == "Generic 123456"


async def test_without_the_required_texts_nothing_is_posted(store: Store, gatewayapi: FakeGatewayApi) -> None:
    config = by_gatewayapi(gatewayapi.endpoint, templates=[{"usageType": "Generic", "content": "{{code}}"}])
    with pytest.raises(RequestError) as caught:
        await text(store, config)
    assert (caught.value.status, caught.value.code) == (400, "connector.invalid_config")
    assert gatewayapi.received == []


async def test_insufficient_credit_is_reported(store: Store, gatewayapi: FakeGatewayApi) -> None:
    gatewayapi.credit = 0
    with pytest.raises(RequestError) as caught:
        await text(store, by_gatewayapi(gatewayapi.endpoint))
    assert (caught.value.status, caught.value.code) == (400, "connector.general")
    assert "Insufficient credit" in caught.value.message


# --- failures of either


async def send_either(
    provider: FakeMailgun | FakeGatewayApi, store: Store, key: str = "", **settings: Any
) -> None:
    if isinstance(provider, FakeMailgun):
        config = by_mailgun() | ({"apiKey": key} if key else {})
        await mail(store, provider.base_url, config, **settings)
    else:
        config = by_gatewayapi(provider.endpoint) | ({"apiToken": key} if key else {})
        await text(store, config, **settings)


@pytest.fixture(params=["mailgun", "gatewayapi"])
def provider(
    request: pytest.FixtureRequest, mailgun: FakeMailgun, gatewayapi: FakeGatewayApi
) -> FakeMailgun | FakeGatewayApi:
    return mailgun if request.param == "mailgun" else gatewayapi


async def test_wrong_key_is_reported_without_showing_it(
    provider: FakeMailgun | FakeGatewayApi, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG), pytest.raises(RequestError) as caught:
        await send_either(provider, store, key="a-wrong-key")
    assert (caught.value.status, caught.value.code) == (400, "connector.general")
    assert "a-wrong-key" not in f"{caught.value.body()}{caplog.text}"
    assert len(provider.received) == 1


async def test_refusal_by_mailgun_is_reported_as_logto_does(store: Store, mailgun: FakeMailgun) -> None:
    mailgun.refuse(500, "out of order")
    with pytest.raises(RequestError) as caught:
        await mail(store, mailgun.base_url, by_mailgun())
    assert caught.value.body() == {
        "code": "connector.general",
        "data": {"statusCode": 500, "body": "out of order"},
        "message": 'Error occurred in connector: {"statusCode":500,"body":"out of order"}',
    }


async def test_refusal_by_gatewayapi_is_reported_as_logto_does(
    store: Store, gatewayapi: FakeGatewayApi
) -> None:
    gatewayapi.refuse(500, "out of order")
    with pytest.raises(RequestError) as caught:
        await text(store, by_gatewayapi(gatewayapi.endpoint))
    assert caught.value.data == {"message": "out of order"}


async def test_key_is_not_sent_to_the_target_of_a_redirect(store: Store, mailgun: FakeMailgun) -> None:
    elsewhere = f"HTTP/1.1 307 Moved\r\nLocation: {mailgun.base_url}/v3/{DOMAIN}/messages\r\n"
    async with serving_text(f"{elsewhere}Content-Length: 0\r\n\r\n") as address:
        with pytest.raises(RequestError) as caught:
            await mail(store, address, by_mailgun())
    assert caught.value.data == {"statusCode": 307, "body": ""}
    assert mailgun.received == []


async def test_silent_provider_is_given_up_after_the_timeout(
    provider: FakeMailgun | FakeGatewayApi, store: Store
) -> None:
    provider.answer_slowly()
    began = time.monotonic()
    with pytest.raises(RequestError) as caught:
        await send_either(provider, store, connector_timeout=0.2)
    assert time.monotonic() - began < 5
    assert (caught.value.code, caught.value.data) == (
        "connector.general",
        {"name": "TimeoutError", "code": "ETIMEDOUT"},
    )
    assert len(provider.received) == 1


async def test_dropped_connection_is_reported(provider: FakeMailgun | FakeGatewayApi, store: Store) -> None:
    provider.drop_connections()
    with pytest.raises(RequestError, match=r"^connector\.general"):
        await send_either(provider, store)


async def test_reply_that_is_not_http_is_reported(store: Store) -> None:
    async with serving_text("* OK I am a mail server\r\n") as address:
        with pytest.raises(RequestError, match=r"^connector\.general"):
            await mail(store, address, by_mailgun())


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:1", "no address", ""])
async def test_unreachable_provider_is_reported(store: Store, endpoint: str) -> None:
    with pytest.raises(RequestError) as caught:
        await text(store, by_gatewayapi(endpoint))
    assert (caught.value.status, caught.value.code) == (400, "connector.general")


# --- Logto's mock connectors


@pytest.mark.parametrize(("kind", "subject"), [("email", "s 123456"), ("phone", None)])
async def test_mock_connectors_show_their_texts_on_the_messages_page(
    store: Store, kind: Kind, subject: str | None
) -> None:
    templates = [
        {"usageType": "Generic", "type": "text/plain", "subject": "s {{code}}", "content": "c <{{code}}>"}
    ]
    credentials = {"apiKey": "k", "fromEmail": "f"} if kind == "email" else {}
    numbers = {"accountSID": "x", "authToken": "x", "fromMessagingServiceSID": "x"} if kind == "phone" else {}
    factory = MOCK_EMAIL if kind == "email" else MOCK_SMS
    config = {**credentials, **numbers, "templates": templates}
    await send_by(store, Settings(), factory, config, Outgoing(kind, "somebody", "BindMfa", CODE))
    [message] = list_messages(store)
    assert (message.usage, message.code) == ("BindMfa", "123456")
    assert (message.subject, message.text) == (subject, "c <123456>")
