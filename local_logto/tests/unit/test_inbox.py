"""The messages page: the list with its filters, the page of one message, and its HTML in a sandbox."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

import pytest

from local_logto.connectors.factories import MOCK_EMAIL
from local_logto.connectors.sending import Outgoing, send_by
from local_logto.messages import Message, list_messages, store_message
from local_logto.settings import Settings
from local_logto.store import Store, now_ms
from unit.experience_app import ExperienceApp
from unit.page_reading import page, text_of

NINA = "nina@example.test"
INVITED = {
    "subject": "You are invited to Acme",
    "text": "See the invitation",
    "html": '<p><a href="http://localhost:3000/i/1">See the invitation</a></p>',
    "link": "http://localhost:3000/i/1",
    "sender": "Workroom <no-reply@workroom.example>",
}
CODE = {"subject": "Your code", "text": "Your code is 123456.", "code": "123456"}


def deliver(logto: ExperienceApp, recipient: str, values: Mapping[str, str], kind: str = "email") -> str:
    """Store a message for the messages page and return its id."""
    message = Message(kind, recipient, "Generic", now_ms(), **values)
    store_message(logto.store, message)
    return message.id


def entries(html: str) -> list[str]:
    """Return the messages in the list, newest first, as HTML."""
    return re.findall(r'<a class="subject".*?</li>', html, flags=re.DOTALL)


async def test_list_shows_subject_sender_recipient_kind_and_code(logto: ExperienceApp) -> None:
    deliver(logto, NINA, INVITED | {"code": "123456"})
    [entry] = entries(await page(logto, "/messages"))
    for shown in ("You are invited to Acme", "From Workroom<", NINA, ">Email<", ">123456<", "<time"):
        assert shown in entry


async def test_text_message_is_listed_with_its_text_and_number(logto: ExperienceApp) -> None:
    deliver(logto, "12025550101", {"text": "Your code is 123456."}, "phone")
    [entry] = entries(await page(logto, "/messages"))
    for shown in ("Your code is 123456.", "+12025550101", ">SMS<"):
        assert shown in entry


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["Your code", "You are invited to Acme"]),
        (f"recipient={NINA}", ["You are invited to Acme"]),
        ("recipient=12025550101", ["Your code"]),
        ("q=ACME", ["You are invited to Acme"]),
        ("q=%2B1202", ["Your code"]),
        ("q=code+123456", ["Your code"]),
        (f"q=code&recipient={NINA}", []),
    ],
)
async def test_list_is_filtered_by_recipient_and_words(
    logto: ExperienceApp, query: str, expected: list[str]
) -> None:
    deliver(logto, NINA, INVITED)
    deliver(logto, "12025550101", CODE, "phone")
    html = await page(logto, f"/messages?{query}")
    assert re.findall(r'<a class="subject"[^>]*>([^<]*)</a>', html) == expected
    assert ("No message matches." in html) is (not expected)


async def test_filters_offer_every_recipient_once(logto: ExperienceApp) -> None:
    for recipient in (NINA, NINA, "abe@example.test"):
        deliver(logto, recipient, CODE)
    html = await page(logto, f"/messages?recipient={NINA}")
    assert re.findall(r'<option value="([^"]*)"', html) == ["", "abe@example.test", NINA]
    assert f'<option value="{NINA}" selected>' in html


async def test_programs_get_the_filtered_list_as_json(logto: ExperienceApp) -> None:
    deliver(logto, NINA, INVITED)
    deliver(logto, "abe@example.test", CODE)
    answer = await logto.browser.get(f"/messages?recipient={NINA}", headers={"Accept": "application/json"})
    [message] = json.loads(await answer.get_data())
    assert set(message) == {"recipient", "usage", "code", "link", "subject", "text"}
    assert (message["recipient"], message["link"]) == (NINA, INVITED["link"])


async def test_message_page_has_the_link_and_the_html_in_a_frame(logto: ExperienceApp) -> None:
    sent = deliver(logto, NINA, INVITED)
    html = await page(logto, f"/messages/{sent}")
    assert "Workroom &lt;no-reply@workroom.example&gt;" in html
    assert f'href="{INVITED["link"]}">Open the link</a>' in html
    assert f'src="/messages/{sent}/html"' in html
    assert INVITED["html"] not in html


async def test_html_of_a_message_may_run_and_load_nothing(logto: ExperienceApp) -> None:
    sent = deliver(logto, NINA, INVITED)
    answer = await logto.browser.get(f"/messages/{sent}/html")
    directives = answer.headers["Content-Security-Policy"].split("; ")
    assert {"default-src 'none'", "base-uri 'none'", "form-action 'none'", "img-src data:"} <= set(directives)
    assert {name for name in directives if name.startswith("sandbox")} == {
        "sandbox allow-popups allow-popups-to-escape-sandbox"
    }
    assert not [name for name in directives if name.startswith(("script", "connect", "frame-src"))]
    assert INVITED["html"] in await text_of(answer)


async def test_frame_of_a_message_has_the_same_sandbox(logto: ExperienceApp) -> None:
    sent = deliver(logto, NINA, INVITED)
    answer = await logto.browser.get(f"/messages/{sent}")
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in await text_of(answer)
    assert "frame-src 'self'" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("link", ["javascript:alert(1)", "data:text/html,x", "mailto:a@example.test", "//x"])
async def test_only_web_addresses_become_links(logto: ExperienceApp, link: str) -> None:
    sent = deliver(logto, NINA, INVITED | {"link": link})
    html = await page(logto, f"/messages/{sent}")
    assert link in html
    assert f'href="{link}' not in html


async def test_markup_in_a_text_is_only_text(logto: ExperienceApp) -> None:
    sent = deliver(logto, NINA, {"subject": "<b>1</b>", "text": "<script>2</script>"})
    for path in ("/messages", f"/messages/{sent}"):
        html = await page(logto, path)
        assert "&lt;b&gt;1&lt;/b&gt;" in html
        assert "<script>2" not in html


async def test_unknown_message_is_not_found(logto: ExperienceApp) -> None:
    text_only = deliver(logto, NINA, CODE)
    for path in ("/messages/unknown", "/messages/unknown/html", f"/messages/{text_only}/html"):
        answer = await logto.browser.get(path)
        assert answer.status_code == 404
        assert "Message not found" in await text_of(answer)


async def test_mock_connector_names_the_sender_and_sends_html(store: Store) -> None:
    template = {
        "usageType": "Generic",
        "type": "text/html",
        "subject": "s",
        "content": "<p>{{code}} {{who}}</p>",
    }
    config = {"apiKey": "k", "fromEmail": "a@b.example", "fromName": "Acme", "templates": [template]}
    payload = {"code": "123456", "who": "<b>"}
    await send_by(store, Settings(), MOCK_EMAIL, config, Outgoing("email", NINA, "Generic", payload))
    [message] = list_messages(store)
    assert (message.sender, message.html) == ("Acme <a@b.example>", "<p>123456 &lt;b&gt;</p>")
    assert message.text == "123456 <b>"
