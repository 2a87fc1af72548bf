"""The fake Mailgun, compared with Mailgun's documentation."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest

from local_logto.fakes.mailgun import (
    API_KEY,
    DOMAIN,
    EU_DOMAIN,
    FakeMailgun,
    fake_mailgun,
    fake_mailgun_regions,
)

FORM = {
    "from": "Workroom <hello@mg.workroom.example>",
    "to": "rosa@example.test",
    "text": "Your code: 123456",
}


@pytest.fixture
async def mailgun() -> AsyncIterator[FakeMailgun]:
    async with fake_mailgun() as running:
        yield running


async def send(
    mailgun: FakeMailgun, form: dict[str, str], *, key: str = API_KEY, domain: str = DOMAIN, user: str = "api"
) -> tuple[int, str]:
    async with (
        aiohttp.ClientSession(headers={"Authorization": aiohttp.encode_basic_auth(user, key)}) as client,
        client.post(f"{mailgun.base_url}/v3/{domain}/messages", data=form) as answer,
    ):
        return answer.status, await answer.text()


async def test_message_is_queued_and_stored_unchanged(mailgun: FakeMailgun) -> None:
    status, body = await send(mailgun, FORM)

    assert status == 200
    assert '"message": "Queued. Thank you."' in body
    assert f'@{DOMAIN}>"' in body
    message = await mailgun.next_message(to="rosa@example.test")
    assert (message.method, message.target) == ("POST", f"/v3/{DOMAIN}/messages")
    assert message.header("Content-Type") == "application/x-www-form-urlencoded"
    assert message.body == (
        b"from=Workroom+%3Chello%40mg.workroom.example%3E&to=rosa%40example.test&text=Your+code%3A+123456"
    )


async def test_code_is_read_by_its_recipient(mailgun: FakeMailgun) -> None:
    await send(mailgun, {**FORM, "to": "noor@example.test", "text": "654321"})
    await send(mailgun, FORM)

    assert await mailgun.next_code("rosa@example.test") == "123456"
    assert await mailgun.next_code("noor@example.test") == "654321"


@pytest.mark.parametrize(("user", "key"), [("api", "wrong"), ("key", API_KEY)])
async def test_wrong_key_is_forbidden(mailgun: FakeMailgun, user: str, key: str) -> None:
    assert await send(mailgun, FORM, key=key, user=user) == (401, "Forbidden")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"from": None}, "from parameter is missing"),
        ({"to": None}, "to parameter is missing"),
        ({"to": "rosa"}, "'to' parameter is not a valid address. please check documentation"),
        ({"text": None}, "Need at least one of 'text' or 'html' parameters specified"),
        ({"html": "<p>", "template": "code"}, "Only one parameters 'html' or 'template' is allowed"),
        (
            {"h:X-Mailgun-Variables": "x" * 17_000},
            "Send options (parameters starting with o:, h:, or v:) are limited to 16 kB total",
        ),
    ],
)
async def test_impossible_message_is_explained(
    mailgun: FakeMailgun, change: dict[str, str | None], complaint: str
) -> None:
    form = {name: value for name, value in {**FORM, **change}.items() if value is not None}

    assert await send(mailgun, form) == (400, f'{{"message": "{complaint}"}}')


async def test_stored_template_counts_as_content(mailgun: FakeMailgun) -> None:
    form = {
        "from": FORM["from"],
        "to": FORM["to"],
        "template": "code",
        "h:X-Mailgun-Variables": '{"code": "123456"}',
    }

    assert (await send(mailgun, form))[0] == 200
    assert await mailgun.next_code(FORM["to"]) == "123456"


async def test_domain_of_the_other_region_is_not_found() -> None:
    async with fake_mailgun_regions() as (us, eu):
        assert await send(us, FORM, domain=EU_DOMAIN) == (
            404,
            f'{{"message": "Domain not found: {EU_DOMAIN}"}}',
        )
        assert (await send(eu, FORM, domain=EU_DOMAIN))[0] == 200


async def test_sandbox_sends_only_to_authorized_recipients() -> None:
    async with fake_mailgun(sandbox=frozenset({"rosa@example.test"})) as mailgun:
        assert (await send(mailgun, FORM))[0] == 200
        status, body = await send(mailgun, {**FORM, "to": "noor@example.test"})

    assert status == 403
    assert "Free accounts are for test purposes only" in body
