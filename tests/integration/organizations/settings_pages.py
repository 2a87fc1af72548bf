"""Reading and sending an organization's settings, and what the audit trail says of it."""

from __future__ import annotations

import re
from html import unescape

import sqlalchemy as sa

from saas_app.models import AuditEvent
from saas_app.runtime import Runtime
from tests.clients import Browser


async def text_of(browser: Browser, path: str, expect: int = 200) -> str:
    """The page as people read it."""
    return unescape(str(await (await browser.get(path, expect)).get_data(as_text=True)))


async def answer_of(browser: Browser, path: str, form: dict[str, str], expect: int) -> str:
    """The page that answers a form."""
    response = await browser.post(path, form, expect)
    return unescape(str(await response.get_data(as_text=True)))


def hidden_field(page: str, name: str, form: str) -> str:
    """A hidden field of the form that posts to ``form``."""
    found = re.search(rf'action="{form}".*?name="{name}" value="([^"]*)"', page, re.DOTALL)
    assert found is not None, page
    return found.group(1)


async def update_events(runtime: Runtime, organization_id: str) -> list[AuditEvent]:
    """What the audit trail tells of changes of the organization, the oldest first."""
    async with runtime.work.reading(organization_id) as db:
        statement = sa.select(AuditEvent).where(AuditEvent.action == "organization.update")
        return list(await db.scalars(statement.order_by(AuditEvent.id)))
