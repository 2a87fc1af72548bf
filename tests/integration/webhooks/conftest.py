"""Logto as a sender of webhooks."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import sqlalchemy as sa
from quart import Quart

from saas_app.config import Settings
from saas_app.models import EVERYONE, EVERYWHERE, MembershipChange
from saas_app.runtime import Runtime
from tests.integration.webhooks.webhook_sender import Sender


@pytest.fixture
def logto(app: Quart, settings: Settings) -> Sender:
    return Sender(app, settings)


@pytest.fixture
async def no_mark_on_every_membership(runtime: Runtime) -> AsyncIterator[None]:
    """Delete the mark that covers every membership, which would make the tokens of all other tests stale."""
    yield
    everybody = (MembershipChange.organization_id == EVERYWHERE, MembershipChange.subject == EVERYONE)
    async with runtime.jobs.writing() as db:
        await db.execute(sa.delete(MembershipChange).where(*everybody))
