"""Emails about memberships: who gets which, in which language, and that none is lost or sent twice."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from email.message import EmailMessage
from unittest.mock import patch

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from saas_app.db.base import utc_now
from saas_app.db.session import WritingSession
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.identity.preferences import Preferences
from saas_app.models import Notification
from saas_app.notifications import queries
from saas_app.notifications.emails import EmailWorker
from saas_app.notifications.smtp import MailUnavailable
from saas_app.notifications.values import EMAIL_PATIENCE, DueEmail
from saas_app.operations.data.erasure import erase_person
from saas_app.runtime import Runtime
from tests.clients import Person
from tests.conftest import OpenBrowser
from tests.factories import Factory, address_of
from tests.integration.mail import Mailbox
from tests.integration.members.conftest import Acme, roles_form
from tests.integration.notifications.post_office import (
    SENDER,
    PostOffice,
    count_waiting,
    make_due,
    worker_for,
)
from tests.served import APP_URL


@pytest.fixture
async def demoted(acme: Acme, subscriber: Person) -> Person:
    """A person who chose emails, and has just lost a role."""
    await acme.browser.post(acme.roles_of(subscriber), roles_form(["editor"], ["viewer"]))
    return subscriber


async def test_other_roles_are_emailed_with_a_link_to_what_they_allow(
    acme: Acme, demoted: Person, worker: EmailWorker, post_office: PostOffice
) -> None:
    await worker.send_due()

    (letter,) = post_office.letters_to(demoted)
    text, html = (str(letter.get_body((kind,)).get_content()) for kind in ("plain", "html"))  # type: ignore[union-attr]
    assert (letter["Subject"], letter["From"]) == (f"Your roles in {acme.name} have changed", SENDER)
    for body in (text, html):
        assert "have changed to viewer." in body
        assert f"{APP_URL}/o/{acme.id}/access" in body
        assert "because you chose emails about changes to your memberships" in body
        assert f"{APP_URL}/account/settings" in body


async def test_the_headers_tell_mail_programs_what_the_email_is(
    demoted: Person, worker: EmailWorker, post_office: PostOffice, runtime: Runtime
) -> None:
    await worker.send_due()

    (letter,) = post_office.letters_to(demoted)
    async with runtime.jobs.reading() as db:
        row_id = await db.scalar(sa.select(Notification.id).where(Notification.user_id == demoted.id))
    assert letter["Message-ID"] == f"<notification.{row_id}@localhost>"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert letter["List-Unsubscribe"] == f"<{runtime.email_links.unsubscribe(demoted.id)}>"


async def test_people_who_did_not_choose_emails_get_none(
    acme: Acme, bob: Person, worker: EmailWorker, post_office: PostOffice, runtime: Runtime
) -> None:
    await acme.browser.post(acme.roles_of(bob), roles_form(["editor"], ["viewer"]))

    await worker.send_due()

    assert (post_office.letters_to(bob), await count_waiting(runtime, bob)) == ([], 0)


@pytest.mark.parametrize(
    ("language", "email_language", "subject"),
    [
        ("es", "en", "Tus roles en"),
        ("", "es", "Tus roles en"),
        ("en", "es", "Your roles in"),
        ("tlh", "es", "Your roles in"),
    ],
)
async def test_an_email_is_in_the_chosen_language_or_in_that_of_the_page_where_emails_were_chosen(
    demoted: Person,
    worker: EmailWorker,
    post_office: PostOffice,
    runtime: Runtime,
    language: str,
    email_language: str,
    subject: str,
) -> None:
    await runtime.preferences.save(demoted.id, Preferences(language=language, email_language=email_language))

    await worker.send_due()

    (letter,) = post_office.letters_to(demoted)
    assert str(letter["Subject"]).startswith(subject)


async def test_a_removed_person_gets_the_email_about_that_and_no_earlier_one(
    acme: Acme, demoted: Person, worker: EmailWorker, post_office: PostOffice
) -> None:
    await acme.browser.post(acme.removal_of(demoted))

    await worker.send_due()

    (letter,) = post_office.letters_to(demoted)
    assert letter["Subject"] == f"You were removed from {acme.name}"
    assert f"{APP_URL}/notifications" in str(letter)


async def test_an_erased_person_gets_no_email(
    demoted: Person, operator: UnitOfWork, worker: EmailWorker, post_office: PostOffice
) -> None:
    await erase_person(operator, demoted.id)

    await worker.send_due()

    assert post_office.letters_to(demoted) == []


async def test_a_person_who_is_erased_after_the_list_was_read_gets_no_email(
    demoted: Person,
    operator: UnitOfWork,
    worker: EmailWorker,
    post_office: PostOffice,
    runtime: Runtime,
) -> None:
    async with runtime.jobs.reading() as db:
        due = await queries.list_due_emails(db, 1_000)
    await erase_person(operator, demoted.id)

    with patch.object(queries, "list_due_emails", side_effect=[due, due, []]):
        await worker.send_due()

    assert post_office.letters_to(demoted) == []


async def test_a_person_whose_account_is_gone_gets_no_email(
    demoted: Person, make: Factory, worker: EmailWorker, post_office: PostOffice, runtime: Runtime
) -> None:
    await make.management._transport.call("DELETE", f"/users/{demoted.id}")

    await worker.send_due()

    assert (post_office.letters_to(demoted), await count_waiting(runtime, demoted)) == ([], 0)


async def test_what_was_read_in_workroom_meanwhile_is_not_emailed(
    demoted: Person, worker: EmailWorker, post_office: PostOffice, runtime: Runtime
) -> None:
    async with runtime.jobs.writing() as db:
        read = sa.update(Notification).where(Notification.user_id == demoted.id)
        await db.execute(read.values(read_at=utc_now()))

    await worker.send_due()

    assert (post_office.letters_to(demoted), await count_waiting(runtime, demoted)) == ([], 0)


async def test_an_invitation_is_emailed_once_by_logto_alone(
    acme: Acme,
    make: Factory,
    open_browser: OpenBrowser,
    mailbox: Mailbox,
    worker: EmailWorker,
    post_office: PostOffice,
    runtime: Runtime,
) -> None:
    erin = await make.person("Erin")
    await open_browser(erin)
    await runtime.preferences.save(erin.id, Preferences(email_language="en"))
    form = {"addresses": address_of(erin), "roles": ["viewer"], "days": "7"}

    await acme.browser.post(f"{acme.root}/invitations/new", form)
    await worker.send_due()

    assert len(await mailbox.links_for(address_of(erin))) == 1
    assert post_office.letters_to(erin) == []


async def test_the_name_of_an_organization_adds_no_header(
    demoted: Person, worker: EmailWorker, post_office: PostOffice, runtime: Runtime
) -> None:
    name = "Acme\r\nBcc: everyone@example.test\r\n\r\n<script>alert(1)</script>"
    async with runtime.jobs.writing() as db:
        rename = sa.update(Notification).where(Notification.user_id == demoted.id)
        await db.execute(rename.values(organization_name=name))

    await worker.send_due()

    (letter,) = post_office.letters_to(demoted)
    html = letter.get_body(("html",))
    assert "Bcc" not in letter
    assert str(letter["Subject"]).startswith("Your roles in Acme Bcc: everyone")
    assert html is not None
    assert "<script>" not in str(html.get_content())


async def test_emails_wait_while_the_mail_server_is_down(
    demoted: Person, runtime: Runtime, worker: EmailWorker
) -> None:
    office = PostOffice()
    async with office.open():
        pass
    down = worker_for(runtime, office)

    with pytest.raises(MailUnavailable):
        await down.send_due()
    async with office.open():
        await make_due(runtime, demoted)
        await down.send_due()

    assert len(office.letters_to(demoted)) == 1
    assert await count_waiting(runtime, demoted) == 0


async def test_pauses_grow_after_each_attempt_and_have_an_end(
    demoted: Person, worker: EmailWorker, post_office: PostOffice, runtime: Runtime
) -> None:
    post_office.refusals[address_of(demoted)] = "451 4.7.1 Try again later"
    pauses = []
    for _attempt in range(3):
        await make_due(runtime, demoted)
        begun = utc_now()
        await worker.send_due()
        async with runtime.jobs.reading() as db:
            due = await db.scalar(
                sa.select(Notification.email_due_at).where(Notification.user_id == demoted.id)
            )
        pauses.append(round((due - begun).total_seconds() / 60))

    async with runtime.jobs.writing() as db:
        old = sa.update(Notification).where(Notification.user_id == demoted.id)
        await db.execute(old.values(created_at=utc_now() - EMAIL_PATIENCE - timedelta(seconds=1)))
    await make_due(runtime, demoted)
    del post_office.refusals[address_of(demoted)]
    await worker.send_due()

    assert pauses == [1, 2, 4]
    assert (post_office.letters_to(demoted), await count_waiting(runtime, demoted)) == ([], 0)


async def test_an_address_that_is_refused_is_given_up_and_not_logged(
    demoted: Person, worker: EmailWorker, post_office: PostOffice, runtime: Runtime
) -> None:
    post_office.refusals[address_of(demoted)] = f"550 5.1.1 <{address_of(demoted)}> unknown"

    with capture_logs() as lines:
        await worker.send_due()

    (told,) = [line for line in lines if line["event"] == "an email was refused"]
    assert (told["status"], told["is_final"]) == (550, True)
    assert demoted.username not in str(lines)
    assert await count_waiting(runtime, demoted) == 0


async def test_two_workers_at_once_send_an_email_once(
    demoted: Person, runtime: Runtime, post_office: PostOffice
) -> None:
    await asyncio.gather(*(worker_for(runtime, post_office).send_due() for _worker in range(2)))

    assert len(post_office.letters_to(demoted)) == 1


async def test_a_worker_that_lost_its_turn_does_not_send_what_another_one_has_claimed(
    demoted: Person, worker: EmailWorker, post_office: PostOffice, runtime: Runtime
) -> None:
    async with runtime.jobs.reading() as db:
        outdated = await queries.list_due_emails(db, 1_000)
    await worker.send_due()

    with patch.object(queries, "list_due_emails", side_effect=[outdated, outdated, []]):
        await worker_for(runtime, post_office).send_due()

    assert len(post_office.letters_to(demoted)) == 1


async def test_a_worker_that_dies_before_it_sends_loses_no_email(
    demoted: Person, worker: EmailWorker, post_office: PostOffice, runtime: Runtime
) -> None:
    with patch.object(worker, "_deliver", side_effect=RuntimeError("died")), pytest.raises(RuntimeError):
        await worker.send_due()
    await make_due(runtime, demoted)

    await worker.send_due()

    assert len(post_office.letters_to(demoted)) == 1


async def test_a_worker_that_dies_after_the_server_took_an_email_sends_it_again_under_the_same_id(
    demoted: Person, worker: EmailWorker, post_office: PostOffice, runtime: Runtime
) -> None:
    """SMTP cannot tell whether a message was taken before a connection ended, so it may be repeated."""
    settle = queries.settle_emails

    async def die(db: WritingSession, emails: Sequence[DueEmail]) -> None:
        if any(email.user_id == demoted.id for email in emails):
            raise RuntimeError("died")
        await settle(db, emails)  # those of other tests

    with patch.object(queries, "settle_emails", side_effect=die), pytest.raises(RuntimeError):
        await worker.send_due()
    await make_due(runtime, demoted)

    await worker.send_due()

    first, second = post_office.letters_to(demoted)
    assert first["Message-ID"] == second["Message-ID"]


async def test_an_email_that_is_being_sent_when_the_worker_stops_is_recorded(
    demoted: Person, worker: EmailWorker, post_office: PostOffice, runtime: Runtime
) -> None:
    is_sending, deliver = asyncio.Event(), worker._server.deliver

    async def slow(message: EmailMessage) -> None:
        if message["To"] == address_of(demoted):
            is_sending.set()
        await deliver(message)

    with patch.object(type(worker._server), "deliver", side_effect=slow):
        async with worker.running():
            await is_sending.wait()

    assert len(post_office.letters_to(demoted)) == 1
    assert await count_waiting(runtime, demoted) == 0
