"""What people are told about support access, by email too, and where it leads them."""

from __future__ import annotations

from saas_app.db.base import new_uuid
from saas_app.models import NotificationKind
from saas_app.notifications.emails import EmailWorker
from saas_app.notifications.recorder import notify_of_support
from saas_app.notifications.values import SupportDetails
from saas_app.runtime import Runtime
from tests.clients import Person
from tests.integration.members.conftest import Acme
from tests.integration.notifications.post_office import PostOffice
from tests.integration.notifications.reading import notifications_of
from tests.served import APP_URL


async def tell(
    runtime: Runtime,
    acme: Acme,
    reader: Person,
    member: Person,
    kind: NotificationKind = NotificationKind.SUPPORT_STARTED,
) -> None:
    """Tell somebody that Sam started acting for a member, Carol, or no longer does."""
    details = SupportDetails(agent="Sam", member="Carol", member_id=member.id, ticket="4711")
    async with runtime.work.writing(acme.id) as db:
        await notify_of_support(db, acme.id, kind, new_uuid(), [reader.id], details)


async def test_the_member_is_emailed_with_a_link_to_the_overview(
    acme: Acme, subscriber: Person, runtime: Runtime, worker: EmailWorker, post_office: PostOffice
) -> None:
    await tell(runtime, acme, subscriber, member=subscriber)

    await worker.send_due()

    (letter,) = post_office.letters_to(subscriber)
    text, html = (str(letter.get_body((kind,)).get_content()) for kind in ("plain", "html"))  # type: ignore[union-attr]
    assert letter["Subject"] == f"Support access to {acme.name} started"
    for body in (text, html):
        assert f"Sam from support started acting for you in {acme.name} (ticket 4711)." in body
        assert "View overview" in body
        assert f"{APP_URL}/o/{acme.id}/" in body


async def test_those_who_can_end_it_are_emailed_with_a_link_to_all_of_them(
    acme: Acme, subscriber: Person, runtime: Runtime, worker: EmailWorker, post_office: PostOffice
) -> None:
    await tell(runtime, acme, subscriber, acme.admin, NotificationKind.SUPPORT_ENDED)

    await worker.send_due()

    (letter,) = post_office.letters_to(subscriber)
    text = str(letter.get_body(("plain",)).get_content())  # type: ignore[union-attr]
    assert letter["Subject"] == f"Support access to {acme.name} ended"
    assert f"Sam from support is no longer acting for Carol in {acme.name} (ticket 4711)." in text
    assert f"View support access: {APP_URL}/o/{acme.id}/support-access" in text


async def test_notifications_lead_to_where_an_access_is_shown(
    acme: Acme, bob: Person, runtime: Runtime
) -> None:
    admin = acme.admin
    await tell(runtime, acme, admin, member=bob)
    await tell(runtime, acme, admin, member=admin)
    own, others = await notifications_of(runtime, admin.id)

    to_all = await acme.browser.post(f"/notifications/{others.id}/open")
    to_overview = await acme.browser.post(f"/notifications/{own.id}/open")

    assert to_all.headers["Location"] == f"/o/{acme.id}/support-access"
    assert to_overview.headers["Location"] == f"/o/{acme.id}/"


async def test_a_former_member_is_led_nowhere(acme: Acme, bob: Person, runtime: Runtime) -> None:
    await tell(runtime, acme, bob, member=bob)
    await acme.browser.post(f"{acme.members}/{bob.id}/remove")

    (*_others, told) = await notifications_of(runtime, bob.id)

    assert told.kind is NotificationKind.SUPPORT_STARTED
    assert told.lead is None
