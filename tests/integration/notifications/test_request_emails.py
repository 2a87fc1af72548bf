"""Emails about access requests: to those who can approve, and to the member who asked."""

from __future__ import annotations

from email.message import EmailMessage

import pytest

from saas_app.identity.preferences import Preferences
from saas_app.notifications.emails import EmailWorker
from saas_app.rbac.permissions import Role
from saas_app.runtime import Runtime
from tests.clients import Person
from tests.conftest import OpenBrowser
from tests.integration.members.conftest import Acme
from tests.integration.notifications.post_office import PostOffice
from tests.served import APP_URL


def bodies_of(letter: EmailMessage) -> list[str]:
    """Return the text and the HTML of a letter."""
    return [str(letter.get_body((kind,)).get_content()) for kind in ("plain", "html")]  # type: ignore[union-attr]


@pytest.fixture
async def path(acme: Acme, subscriber: Person, open_browser: OpenBrowser, runtime: Runtime) -> str:
    """The path of a request of Bobby, an editor who wants emails, to Ada, who wants them too."""
    await runtime.preferences.save(acme.admin.id, Preferences(email_language="en"))
    browser = await open_browser(subscriber)
    form = {"role": Role.ADMIN.value, "reason": "To invite people.", "duration": "day"}
    answer = await browser.post(f"{acme.root}/access-requests/new", form)
    return str(answer.headers["Location"])


async def test_an_approver_gets_an_email_that_leads_to_the_request(
    acme: Acme, path: str, worker: EmailWorker, post_office: PostOffice
) -> None:
    await worker.send_due()

    (letter,) = post_office.letters_to(acme.admin)
    assert letter["Subject"] == f"Somebody asks for access to {acme.name}"
    for body in bodies_of(letter):
        assert f"Bobby asks for the admin role in {acme.name}." in body
        assert f"{APP_URL}{path}" in body
        assert "View request" in body


async def test_no_email_is_sent_about_a_request_that_is_closed_before(
    acme: Acme, path: str, worker: EmailWorker, post_office: PostOffice
) -> None:
    await acme.browser.post(f"{path}/decline")

    await worker.send_due()

    assert post_office.letters_to(acme.admin) == []


async def test_the_member_gets_an_email_with_the_end_of_the_role(
    acme: Acme, path: str, subscriber: Person, worker: EmailWorker, post_office: PostOffice
) -> None:
    await acme.browser.post(f"{path}/approve", {"duration": "day"})

    await worker.send_due()

    (letter,) = post_office.letters_to(subscriber)
    assert letter["Subject"] == f"Your request in {acme.name} was approved"
    for body in bodies_of(letter):
        assert f"You now have the admin role in {acme.name}." in body
        assert "The admin role ends on 20" in body
        assert f"{APP_URL}{path}" in body


async def test_the_member_gets_an_email_with_the_answer(
    acme: Acme, path: str, subscriber: Person, worker: EmailWorker, post_office: PostOffice
) -> None:
    await acme.browser.post(f"{path}/decline", {"answer": "Ada invites them."})

    await worker.send_due()

    (letter,) = post_office.letters_to(subscriber)
    assert letter["Subject"] == f"Your request in {acme.name} was declined"
    for body in bodies_of(letter):
        assert "was declined: Ada invites them." in body
