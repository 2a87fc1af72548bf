"""``/webhooks/logto`` and ``/backchannel-logout``: who may call them, and what each call does here."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import secrets
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import SecretStr
from quart import Quart
from quart.wrappers import Response

from saas_app.app import create_app
from saas_app.config import Settings
from saas_app.db.base import utc_now
from saas_app.identity.outside_changes import KEPT_FOR
from saas_app.models import (
    EVERYONE,
    EVERYWHERE,
    MembershipChange,
    Organization,
    OrganizationRemoval,
    SessionRow,
    User,
    WebhookDelivery,
)
from saas_app.runtime import Runtime
from tests.conftest import OpenBrowser
from tests.contract.recordings import load
from tests.factories import Factory

MEMBERSHIP = "Organization.Membership.Updated"


def an_id() -> str:
    return secrets.token_hex(6)


def event(name: str, **members: Any) -> dict[str, Any]:
    created_at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {"event": name, "createdAt": created_at, "hookId": an_id(), "ip": "::1", **members}


class Sender:
    """Logto, as far as webhooks go."""

    def __init__(self, app: Quart, settings: Settings) -> None:
        self._client = app.test_client()
        self._key = settings.webhook_signing_key.get_secret_value()

    async def send(self, body: Mapping[str, Any] | bytes, signature: str | None = None) -> Response:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        signed = hmac.new(self._key.encode(), content, hashlib.sha256).hexdigest()
        headers = {
            "Content-Type": "application/json",
            "logto-signature-sha-256": signed if signature is None else signature,
        }
        response = await self._client.post("/webhooks/logto", data=content, headers=headers)
        assert isinstance(response, Response)
        return response

    async def accepted(self, body: Mapping[str, Any]) -> None:
        assert (await self.send(body)).status_code == 204


@pytest.fixture
def logto(app: Quart, settings: Settings) -> Sender:
    return Sender(app, settings)


@pytest.fixture(autouse=True)
async def _nothing_changed_for_everybody(runtime: Runtime) -> AsyncIterator[None]:
    """Other tests share the database, and tokens of theirs would be older than a change for everybody."""
    yield
    everybody = (MembershipChange.organization_id == EVERYWHERE, MembershipChange.user_id == EVERYONE)
    async with runtime.work.writing() as db:
        await db.execute(sa.delete(MembershipChange).where(*everybody))


async def changed_at(runtime: Runtime, organization_id: str, user_id: str) -> datetime | None:
    async with runtime.work.reading() as db:
        row = await db.get(MembershipChange, (organization_id, user_id))
    return row.changed_at if row else None


async def count_deliveries(runtime: Runtime) -> int:
    async with runtime.work.reading() as db:
        return await db.scalar(sa.select(sa.func.count()).select_from(WebhookDelivery)) or 0


@pytest.mark.parametrize("signature", ["", "0" * 64, "not hex", "é"])
async def test_a_wrong_signature_is_refused_and_does_nothing(
    logto: Sender, runtime: Runtime, signature: str
) -> None:
    organization_id, before = an_id(), await count_deliveries(runtime)

    response = await logto.send(event(MEMBERSHIP, organizationId=organization_id), signature)

    assert response.status_code == 401
    assert response.content_type == "application/problem+json"
    assert await changed_at(runtime, organization_id, EVERYONE) is None
    assert await count_deliveries(runtime) == before


async def test_without_a_signing_key_there_is_no_such_page(settings: Settings) -> None:
    app = create_app(settings.model_copy(update={"webhook_signing_key": SecretStr("")}))
    async with app.test_app() as serving:
        empty = hmac.new(b"", b"{}", hashlib.sha256).hexdigest()
        response = await serving.test_client().post(
            "/webhooks/logto", data=b"{}", headers={"logto-signature-sha-256": empty}
        )
    assert response.status_code == 404


async def test_the_same_delivery_again_is_accepted_and_does_nothing(logto: Sender, runtime: Runtime) -> None:
    organization_id, user_id = an_id(), an_id()
    body = event(MEMBERSHIP, organizationId=organization_id, addedUserIds=[user_id])
    await logto.accepted(body)
    first = await changed_at(runtime, organization_id, user_id)

    await logto.accepted(body)

    assert first is not None
    assert await changed_at(runtime, organization_id, user_id) == first


async def test_many_workers_that_receive_it_at_once_act_on_it_once(logto: Sender, runtime: Runtime) -> None:
    body = event(MEMBERSHIP, organizationId=an_id(), addedUserIds=[an_id()])
    before = await count_deliveries(runtime)

    await asyncio.gather(*(logto.accepted(body) for _ in range(10)))

    assert await count_deliveries(runtime) == before + 1


async def test_what_claims_to_be_old_is_a_replay(logto: Sender, runtime: Runtime) -> None:
    organization_id = an_id()
    old = (utc_now() - KEPT_FOR - timedelta(hours=1)).isoformat()

    await logto.accepted({**event(MEMBERSHIP, organizationId=organization_id), "createdAt": old})

    assert await changed_at(runtime, organization_id, EVERYONE) is None


async def test_unknown_events_are_accepted_and_ignored(logto: Sender, runtime: Runtime) -> None:
    before = await count_deliveries(runtime)

    await logto.accepted(event("TrustedDevice.Created", data={"id": an_id()}))
    await logto.accepted(event("PostSignIn", userId=an_id()))

    assert await count_deliveries(runtime) == before


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b"\xff", b"[" * 50_000])
async def test_a_signed_body_that_is_no_event_is_a_bad_request(logto: Sender, content: bytes) -> None:
    response = await logto.send(content)

    assert response.status_code == 400
    assert response.content_type == "application/problem+json"


async def test_a_million_ids_are_refused_before_they_are_read(logto: Sender) -> None:
    body = event(MEMBERSHIP, organizationId=an_id(), addedUserIds=["a" * 12] * 1_000_000)

    response = await logto.send(body)

    assert response.status_code == 413
    assert response.content_type == "application/problem+json"


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
async def test_without_readable_ids_it_is_everyone(
    logto: Sender, runtime: Runtime, members: dict[str, Any]
) -> None:
    organization_id = an_id()

    await logto.accepted(event(MEMBERSHIP, organizationId=organization_id, **members))

    assert await changed_at(runtime, organization_id, EVERYONE) is not None


async def test_people_and_machines_that_were_added_or_removed_are_named(
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


async def test_a_machine_that_was_added_keeps_the_token_it_fetched_meanwhile(
    logto: Sender, runtime: Runtime
) -> None:
    organization_id, client_id = an_id(), an_id()
    added = event(MEMBERSHIP, organizationId=organization_id, addedApplicationIds=[client_id])

    await logto.accepted(added)

    known = await changed_at(runtime, organization_id, client_id)
    assert known is not None
    assert known == datetime.fromisoformat(added["createdAt"]).replace(microsecond=0)  # a token's iat


async def test_an_addition_told_late_takes_nothing_back_of_a_removal(logto: Sender, runtime: Runtime) -> None:
    organization_id, client_id = an_id(), an_id()
    added = event(MEMBERSHIP, organizationId=organization_id, addedApplicationIds=[client_id])
    await logto.accepted(event(MEMBERSHIP, organizationId=organization_id, removedApplicationIds=[client_id]))
    removed_at = await changed_at(runtime, organization_id, client_id)

    await logto.accepted(added)

    assert await changed_at(runtime, organization_id, client_id) == removed_at


async def test_the_event_of_an_invitation_names_its_organization_at_the_top(
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


async def test_a_deleted_organization_is_closed_and_its_data_ordered_to_be_removed(
    logto: Sender, runtime: Runtime
) -> None:
    organization_id = an_id()
    await logto.accepted(event("Organization.Created", data={"id": organization_id, "name": "Acme"}))

    await logto.accepted(
        event(
            "Organization.Deleted",
            params={"id": organization_id},
            matchedRoute="/organizations/:id",
            data=None,
        )
    )

    assert await changed_at(runtime, organization_id, EVERYONE) is not None
    async with runtime.work.reading() as db:
        removal = await db.get(OrganizationRemoval, organization_id)
    assert removal is not None
    assert (removal.organization_name, removal.requested_by) == ("Acme", "logto")


async def test_a_test_delivery_of_logtos_does_no_harm(logto: Sender, runtime: Runtime) -> None:
    made_up = {
        "path": "/fake-path/:id",
        "method": "POST",
        "status": 200,
        "params": {"id": "fake-id"},
        "data": {"result": "success"},
    }
    for name in ("Organization.Deleted", "Organization.Data.Updated", "User.Deleted", "User.Data.Updated"):
        await logto.accepted(event(name, **made_up))

    async with runtime.work.reading() as db:
        assert await db.get(OrganizationRemoval, "fake-id") is None


async def test_a_renamed_organization_is_renamed_and_its_tokens_are_read_again(
    logto: Sender, runtime: Runtime
) -> None:
    organization_id = an_id()
    for name in ("Before", "Afterwards"):
        data = {"id": organization_id, "name": name, "isMfaRequired": True}
        await logto.accepted(event("Organization.Data.Updated", data=data))

    async with runtime.work.reading() as db:
        kept = await db.get(Organization, organization_id)
    assert kept is not None
    assert kept.name == "Afterwards"
    assert await changed_at(runtime, organization_id, EVERYONE) is not None


async def test_what_a_running_logto_sent_is_understood(logto: Sender, runtime: Runtime) -> None:
    recorded = [entry["body"] for entry in load("214-webhooks-received") if entry["path"] == "/hook"]
    assert {body["event"] for body in recorded} >= {MEMBERSHIP, "User.Deleted", "Organization.Deleted"}

    for body in recorded:
        await logto.accepted({**body, "createdAt": event("")["createdAt"]})

    organization_id = "7uzr918h1qrl"
    for user_id in ("fecp7bbnrfgm", "2t87vw9iryz9", "wl1log3kju2v", "p3tyv84b8heepgfjmsfv2", EVERYONE):
        assert await changed_at(runtime, organization_id, user_id) is not None
    for gone in ("2t87vw9iryz9", "wl1log3kju2v"):  # suspended, deleted
        assert await changed_at(runtime, EVERYWHERE, gone) is not None
    async with runtime.work.reading() as db:
        removal = await db.get(OrganizationRemoval, organization_id)
    assert removal is not None
    assert removal.organization_name == "Renamed 1795259419"


async def test_a_changed_template_makes_every_token_stale_with_one_row(
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


async def test_a_readmitted_person_is_left_alone(
    logto: Sender, runtime: Runtime, make: Factory, open_browser: OpenBrowser
) -> None:
    person = await make.person()
    browser = await open_browser(person)

    for is_suspended, status in ((False, 200), (True, 303)):
        data = {"id": person.id, "isSuspended": is_suspended}
        await logto.accepted(event("User.SuspensionStatus.Updated", params={"userId": person.id}, data=data))
        await browser.get("/account", status)

    assert await changed_at(runtime, EVERYWHERE, person.id) is not None


async def test_a_changed_name_is_taken_over_and_a_part_of_a_user_is_not(
    logto: Sender, runtime: Runtime, make: Factory, open_browser: OpenBrowser
) -> None:
    person = await make.person()
    await open_browser(person)
    params = {"userId": person.id}
    user = {"id": person.id, "name": "New Name", "primaryEmail": "new@example.test", "username": "new"}

    await logto.accepted(event("User.Data.Updated", matchedRoute="/users/:userId", params=params, data=user))
    await logto.accepted(
        event(
            "User.Data.Updated",
            matchedRoute="/users/:userId/custom-data",
            params=params,
            data={"id": person.id, "name": "Their own data"},
        )
    )

    async with runtime.work.reading() as db:
        kept = await db.get(User, person.id)
    assert kept is not None
    assert (kept.name, kept.email, kept.username) == ("New Name", "new@example.test", "new")


async def test_deliveries_are_forgotten_after_a_while(logto: Sender, runtime: Runtime) -> None:
    digest = secrets.token_bytes(32)
    async with runtime.work.writing() as db:
        db.add(WebhookDelivery(body_hash=digest, received_at=utc_now() - KEPT_FOR - timedelta(minutes=1)))

    await logto.accepted(event(MEMBERSHIP, organizationId=an_id()))

    async with runtime.work.reading() as db:
        assert await db.get(WebhookDelivery, digest) is None


@pytest.mark.parametrize("form", [{}, {"logout_token": ""}, {"logout_token": "not.a.token"}])
async def test_a_logout_without_a_good_token_is_refused_as_the_specification_says(
    app: Quart, form: dict[str, str]
) -> None:
    response = await app.test_client().post("/backchannel-logout", form=form)

    assert response.status_code == 400
    assert response.headers["Cache-Control"] == "no-store"
    assert (await response.get_json())["error"] == "invalid_request"


async def test_a_browser_gains_nothing_by_its_cookies_there(
    make: Factory, open_browser: OpenBrowser, runtime: Runtime
) -> None:
    person = await make.person()
    browser = await open_browser(person)

    assert (await browser.app.post("/backchannel-logout")).status_code == 400
    assert (await browser.app.post("/webhooks/logto")).status_code == 401

    async with runtime.work.reading() as db:
        left = await db.scalar(
            sa.select(sa.func.count()).select_from(SessionRow).where(SessionRow.subject == person.id)
        )
    assert left == 1


async def test_an_event_from_the_future_is_refused_and_changes_nothing(
    logto: Sender, runtime: Runtime
) -> None:
    organization_id, somebody = an_id(), an_id()
    for created_at in ("9999-12-31T23:59:59.000Z", (utc_now() + timedelta(hours=2)).isoformat()):
        told = event(MEMBERSHIP, organizationId=organization_id, addedApplicationIds=[somebody])
        assert (await logto.send({**told, "createdAt": created_at})).status_code == 400
    async with runtime.work.reading() as db:
        changes = sa.select(MembershipChange).where(MembershipChange.organization_id == organization_id)
        assert list(await db.scalars(changes)) == []


def told(name: str, seconds_ago: float, **members: Any) -> dict[str, Any]:
    """An event of a while ago."""
    moment = datetime.now(UTC) - timedelta(seconds=seconds_ago)
    return {**event(name, **members), "createdAt": moment.isoformat(timespec="milliseconds")}


async def name_of(runtime: Runtime, organization_id: str) -> str | None:
    return (await runtime.directory.list_names([organization_id])).get(organization_id)


@pytest.mark.parametrize("late", [2, 45, 3600])
async def test_a_name_told_late_does_not_replace_a_newer_one(
    logto: Sender, runtime: Runtime, late: float
) -> None:
    organization_id, data = an_id(), "Organization.Data.Updated"
    newer, older = {"id": organization_id, "name": "Newer"}, {"id": organization_id, "name": "Older"}
    await logto.accepted(told(data, 1, data=newer))
    await logto.accepted(told(data, 1 + late, data=older))
    assert await name_of(runtime, organization_id) == "Newer"
    await logto.accepted(told("Organization.Created", 2 + late, data=older))
    assert await name_of(runtime, organization_id) == "Newer"
    await logto.accepted(told(data, 0, data={"id": organization_id, "name": "Newest"}))
    assert await name_of(runtime, organization_id) == "Newest"


async def test_a_name_told_late_does_not_replace_one_that_was_read_since(
    logto: Sender, runtime: Runtime
) -> None:
    organization_id = an_id()
    await runtime.directory.remember_organizations([{"id": organization_id, "name": "Read"}])
    await logto.accepted(
        told("Organization.Data.Updated", 5, data={"id": organization_id, "name": "Told late"})
    )
    assert await name_of(runtime, organization_id) == "Read"


@pytest.mark.parametrize("name", ["Organization.Data.Updated", "Organization.Created"])
async def test_a_deleted_organization_does_not_come_back(logto: Sender, runtime: Runtime, name: str) -> None:
    organization_id = an_id()
    gone = {"params": {"id": organization_id}, "matchedRoute": "/organizations/:id"}
    await logto.accepted(told("Organization.Deleted", 1, **gone))
    await logto.accepted(told(name, 2, data={"id": organization_id, "name": "Back"}))
    await runtime.directory.remember_organizations([{"id": organization_id, "name": "Back"}])
    assert await name_of(runtime, organization_id) is None


async def test_a_person_keeps_the_name_that_was_told_last(
    logto: Sender, runtime: Runtime, make: Factory, open_browser: OpenBrowser
) -> None:
    person = await make.person("Sam")
    await open_browser(person)

    def renamed(name: str, seconds_ago: float) -> dict[str, Any]:
        data = {"id": person.id, "username": person.username, "name": name}
        return told("User.Data.Updated", seconds_ago, data=data, params={"userId": person.id})

    await asyncio.sleep(0.002)  # Logto tells milliseconds
    await logto.accepted(renamed("Samantha", 0))
    await logto.accepted(renamed("Samuel", 30))
    async with runtime.work.reading() as db:
        assert await db.scalar(sa.select(User.name).where(User.id == person.id)) == "Samantha"
