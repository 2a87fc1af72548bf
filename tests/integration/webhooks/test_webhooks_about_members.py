"""What a webhook about a membership or a role changes: which cached tokens become stale."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from saas_app.models import EVERYONE, EVERYWHERE
from saas_app.runtime import Runtime
from tests.conftest import OpenBrowser
from tests.factories import Factory
from tests.integration.webhooks.webhook_sender import MEMBERSHIP, Sender, an_id, changed_at, event

pytestmark = pytest.mark.usefixtures("no_mark_on_every_membership")


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"addedUserIds": ["a" * 12] * 5000},
        {"addedUserIds": ["../x"]},
        {"removedUserIds": "text"},
        {"addedUserIds": [7]},
    ],
)
async def test_an_event_without_readable_ids_marks_every_membership(
    logto: Sender, runtime: Runtime, members: dict[str, Any]
) -> None:
    organization_id = an_id()

    await logto.accepted(event(MEMBERSHIP, organizationId=organization_id, **members))

    assert await changed_at(runtime, organization_id, EVERYONE) is not None


async def test_an_event_marks_the_people_and_api_clients_that_it_names(
    logto: Sender, runtime: Runtime
) -> None:
    organization_id = an_id()
    ids = {
        name: an_id()
        for name in ("addedUserIds", "removedUserIds", "addedApplicationIds", "removedApplicationIds")
    }

    for name, subject in ids.items():
        await logto.accepted(event(MEMBERSHIP, organizationId=organization_id, **{name: [subject]}))

    for subject in ids.values():
        assert await changed_at(runtime, organization_id, subject) is not None
    assert await changed_at(runtime, organization_id, EVERYONE) is None


async def test_an_added_api_client_keeps_the_token_that_it_fetched_meanwhile(
    logto: Sender, runtime: Runtime
) -> None:
    organization_id, client_id = an_id(), an_id()
    added = event(MEMBERSHIP, organizationId=organization_id, addedApplicationIds=[client_id])

    await logto.accepted(added)

    known = await changed_at(runtime, organization_id, client_id)
    assert known is not None
    assert known == datetime.fromisoformat(added["createdAt"]).replace(microsecond=0)  # a token's iat


async def test_a_late_addition_does_not_undo_a_removal(logto: Sender, runtime: Runtime) -> None:
    organization_id, client_id = an_id(), an_id()
    added = event(MEMBERSHIP, organizationId=organization_id, addedApplicationIds=[client_id])
    await logto.accepted(event(MEMBERSHIP, organizationId=organization_id, removedApplicationIds=[client_id]))
    removed_at = await changed_at(runtime, organization_id, client_id)

    await logto.accepted(added)

    assert await changed_at(runtime, organization_id, client_id) == removed_at


async def test_the_event_of_an_invitation_marks_the_membership_in_its_organization(
    logto: Sender, runtime: Runtime
) -> None:
    organization_id, invitation_id, user_id = an_id(), an_id(), an_id()

    await logto.accepted(
        event(
            MEMBERSHIP,
            path=f"/organization-invitations/{invitation_id}/status",
            params={"id": invitation_id},
            matchedRoute="/organization-invitations/:id/status",
            organizationId=organization_id,
            addedUserIds=[user_id],
        )
    )

    assert await changed_at(runtime, organization_id, user_id) is not None
    assert await changed_at(runtime, invitation_id, user_id) is None


async def test_a_changed_role_makes_every_token_stale_with_one_row(
    logto: Sender, runtime: Runtime, make: Factory, open_browser: OpenBrowser
) -> None:
    person = await make.person()
    organization_id = await make.organization("Acme", viewer=person)
    browser = await open_browser(person)
    await browser.get(f"/o/{organization_id}/projects")
    (access,) = await _accesses(runtime, person.id, organization_id)

    await logto.accepted(event("OrganizationRole.Scopes.Updated", params={"id": an_id()}))

    (stale,) = await _accesses(runtime, person.id, organization_id)
    assert stale.membership_changed_at is not None
    assert all(token.fetched_at < stale.membership_changed_at for token in access.tokens.values())
    assert await changed_at(runtime, EVERYWHERE, EVERYONE) == stale.membership_changed_at


async def _accesses(runtime: Runtime, subject: str, organization_id: str) -> list[Any]:
    ids = await runtime.sessions.list_session_ids(subject)
    return [await runtime.sessions.find_access_by_id(each, organization_id) for each in ids]
