"""The link in an email that ends the emails, for people and for mail programs."""

from __future__ import annotations

import re

import pytest
from quart import Quart

from saas_app.identity.preferences import Preferences
from saas_app.runtime import Runtime
from tests.clients import Person
from tests.served import APP_URL

UNKNOWN = "/notifications/unsubscribe?proof=somebody.0123456789abcdef"


@pytest.fixture
def link(subscriber: Person, runtime: Runtime) -> str:
    """The link in the emails of a person, without the origin."""
    return runtime.email_links.unsubscribe(subscriber.id).removeprefix(APP_URL)


async def test_opening_the_link_only_shows_a_button_because_programs_open_links_too(
    app: Quart, link: str, subscriber: Person, runtime: Runtime
) -> None:
    answer = await app.test_client().get(link)

    page = await answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert re.search(r'<form method="post">.*Stop these emails</button>', page)
    assert (await runtime.preferences.find(subscriber.id)).email_language == "en"


async def test_a_mail_program_ends_the_emails_with_one_request_without_cookies(
    app: Quart, link: str, subscriber: Person, runtime: Runtime
) -> None:
    answer = await app.test_client().post(link, form={"List-Unsubscribe": "One-Click"})

    page = await answer.get_data(as_text=True)
    assert (answer.status_code, "You no longer receive these emails." in page) == (200, True)
    assert await runtime.preferences.find(subscriber.id) == Preferences(email_language="")


async def test_ending_the_emails_again_changes_nothing(app: Quart, link: str) -> None:
    client = app.test_client()
    await client.post(link)

    assert (await client.post(link)).status_code == 200


async def test_the_proof_of_one_person_ends_no_emails_of_another(
    app: Quart, link: str, subscriber: Person, runtime: Runtime
) -> None:
    proof = runtime.email_links.unsubscribe("somebody-else").rpartition(".")[2]
    forged = f"{link.rpartition('.')[0]}.{proof}"

    answers = [(await app.test_client().post(address)).status_code for address in (forged, UNKNOWN)]

    assert answers == [404, 404]
    assert (await runtime.preferences.find(subscriber.id)).email_language == "en"


async def test_a_proof_for_another_purpose_ends_no_emails(
    app: Quart, subscriber: Person, runtime: Runtime
) -> None:
    proof = runtime.vault.stamp("something else", subscriber.id)

    answer = await app.test_client().post(f"/notifications/unsubscribe?proof={proof}")

    assert answer.status_code == 404


async def test_a_link_that_was_cut_off_says_what_to_do(app: Quart, link: str) -> None:
    answer = await app.test_client().get(link[:-5])

    assert answer.status_code == 404
    assert "Open it from the email again" in await answer.get_data(as_text=True)
