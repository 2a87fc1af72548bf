"""``/webhooks/logto`` and ``/backchannel-logout``: which callers and bodies are accepted."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
from datetime import timedelta

import pytest
import sqlalchemy as sa
from contract.recordings import load
from pydantic import SecretStr
from quart import Quart

from saas_app.app import create_app
from saas_app.config import Settings
from saas_app.db.base import utc_now
from saas_app.models import (
    EVERYONE,
    EVERYWHERE,
    MembershipChange,
    OrganizationRemoval,
    SessionRow,
    WebhookDelivery,
)
from saas_app.runtime import Runtime
from saas_app.webhooks.changes.deliveries import RETENTION
from tests.conftest import OpenBrowser
from tests.factories import Factory
from tests.integration.webhooks.webhook_sender import MEMBERSHIP, Sender, an_id, changed_at, event

pytestmark = pytest.mark.usefixtures("no_mark_on_every_membership")


async def count_deliveries(runtime: Runtime) -> int:
    async with runtime.jobs.reading() as db:
        return await db.scalar(sa.select(sa.func.count()).select_from(WebhookDelivery)) or 0


@pytest.mark.parametrize("signature", ["", "0" * 64, "not hex", "é"])
async def test_a_delivery_with_a_wrong_signature_is_rejected_and_changes_nothing(
    logto: Sender, runtime: Runtime, signature: str
) -> None:
    organization_id, before = an_id(), await count_deliveries(runtime)

    response = await logto.send(event(MEMBERSHIP, organizationId=organization_id), signature)

    assert response.status_code == 401
    assert response.content_type == "application/problem+json"
    assert await changed_at(runtime, organization_id, EVERYONE) is None
    assert await count_deliveries(runtime) == before


async def test_without_a_signing_key_the_endpoint_does_not_exist(settings: Settings) -> None:
    app = create_app(settings.model_copy(update={"webhook_signing_key": SecretStr("")}))
    async with app.test_app() as serving:
        empty = hmac.new(b"", b"{}", hashlib.sha256).hexdigest()
        response = await serving.test_client().post(
            "/webhooks/logto", data=b"{}", headers={"logto-signature-sha-256": empty}
        )
    assert response.status_code == 404


async def test_a_repeated_delivery_is_accepted_and_changes_nothing(logto: Sender, runtime: Runtime) -> None:
    organization_id, user_id = an_id(), an_id()
    body = event(MEMBERSHIP, organizationId=organization_id, addedUserIds=[user_id])
    await logto.accepted(body)
    first = await changed_at(runtime, organization_id, user_id)

    await logto.accepted(body)

    assert first is not None
    assert await changed_at(runtime, organization_id, user_id) == first


async def test_a_delivery_received_ten_times_at_once_is_processed_once(
    logto: Sender, runtime: Runtime
) -> None:
    body = event(MEMBERSHIP, organizationId=an_id(), addedUserIds=[an_id()])
    before = await count_deliveries(runtime)

    await asyncio.gather(*(logto.accepted(body) for _ in range(10)))

    assert await count_deliveries(runtime) == before + 1


async def test_a_delivery_that_is_too_old_is_ignored(logto: Sender, runtime: Runtime) -> None:
    organization_id = an_id()
    old = (utc_now() - RETENTION - timedelta(hours=1)).isoformat()

    await logto.accepted({**event(MEMBERSHIP, organizationId=organization_id), "createdAt": old})

    assert await changed_at(runtime, organization_id, EVERYONE) is None


async def test_an_event_from_the_future_is_rejected_and_changes_nothing(
    logto: Sender, runtime: Runtime
) -> None:
    organization_id, somebody = an_id(), an_id()
    for created_at in ("9999-12-31T23:59:59.000Z", (utc_now() + timedelta(hours=2)).isoformat()):
        told = event(MEMBERSHIP, organizationId=organization_id, addedApplicationIds=[somebody])
        assert (await logto.send({**told, "createdAt": created_at})).status_code == 400
    async with runtime.jobs.writing() as db:
        changes = sa.select(MembershipChange).where(MembershipChange.organization_id == organization_id)
        assert list(await db.scalars(changes)) == []


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


async def test_a_million_ids_are_rejected_before_they_are_read(logto: Sender) -> None:
    body = event(MEMBERSHIP, organizationId=an_id(), addedUserIds=["a" * 12] * 1_000_000)

    response = await logto.send(body)

    assert response.status_code == 413
    assert response.content_type == "application/problem+json"


async def test_a_test_delivery_changes_nothing(logto: Sender, runtime: Runtime) -> None:
    made_up = {
        "path": "/fake-path/:id",
        "method": "POST",
        "status": 200,
        "params": {"id": "fake-id"},
        "data": {"result": "success"},
    }
    for name in ("Organization.Deleted", "Organization.Data.Updated", "User.Deleted", "User.Data.Updated"):
        await logto.accepted(event(name, **made_up))

    async with runtime.jobs.writing() as db:
        assert await db.get(OrganizationRemoval, "fake-id") is None


async def test_recorded_deliveries_of_a_real_logto_are_processed(logto: Sender, runtime: Runtime) -> None:
    recorded = [entry["body"] for entry in load("214-webhooks-received") if entry["path"] == "/hook"]
    assert {body["event"] for body in recorded} >= {MEMBERSHIP, "User.Deleted", "Organization.Deleted"}

    for body in recorded:
        await logto.accepted({**body, "createdAt": event("")["createdAt"]})

    organization_id = "7uzr918h1qrl"
    for user_id in ("fecp7bbnrfgm", "2t87vw9iryz9", "wl1log3kju2v", "p3tyv84b8heepgfjmsfv2", EVERYONE):
        assert await changed_at(runtime, organization_id, user_id) is not None
    for gone in ("2t87vw9iryz9", "wl1log3kju2v"):  # suspended, deleted
        assert await changed_at(runtime, EVERYWHERE, gone) is not None
    async with runtime.jobs.writing() as db:
        removal = await db.get(OrganizationRemoval, organization_id)
    assert removal is not None
    assert removal.organization_name == "Renamed 1795259419"


async def test_old_deliveries_are_deleted(logto: Sender, runtime: Runtime) -> None:
    digest = secrets.token_bytes(32)
    async with runtime.jobs.writing() as db:
        db.add(WebhookDelivery(body_hash=digest, received_at=utc_now() - RETENTION - timedelta(minutes=1)))

    await logto.accepted(event(MEMBERSHIP, organizationId=an_id()))

    async with runtime.jobs.writing() as db:
        assert await db.get(WebhookDelivery, digest) is None


@pytest.mark.parametrize("form", [{}, {"logout_token": ""}, {"logout_token": "not.a.token"}])
async def test_a_logout_without_a_valid_token_is_rejected_as_the_specification_says(
    app: Quart, form: dict[str, str]
) -> None:
    response = await app.test_client().post("/backchannel-logout", form=form)

    assert response.status_code == 400
    assert response.headers["Cache-Control"] == "no-store"
    assert (await response.get_json())["error"] == "invalid_request"


async def test_session_cookies_do_not_authenticate_webhooks_or_logouts(
    make: Factory, open_browser: OpenBrowser, runtime: Runtime
) -> None:
    person = await make.person()
    browser = await open_browser(person)

    assert (await browser.app.post("/backchannel-logout")).status_code == 400
    assert (await browser.app.post("/webhooks/logto")).status_code == 401

    async with runtime.jobs.reading() as db:
        left = await db.scalar(
            sa.select(sa.func.count()).select_from(SessionRow).where(SessionRow.subject == person.id)
        )
    assert left == 1
