"""Emails that the site's Logto sends, opened as their readers do."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import quote

import aiohttp
from contract.mailbox import EmailRecord, mock_connectors
from contract.management import ManagementApi, ManagementCredentials, management_token
from local_logto.testing.connections import brief_connector
from playwright.async_api import Page

from tests.browser.site import Site


class Mailbox(Protocol):
    """The emails of all people."""

    async def follow_link(self, page: Page, address: str) -> None:
        """Open the link in the newest email to this address."""


@dataclass(frozen=True, slots=True)
class MessagesPage:
    """The development provider's page of messages that it would have sent."""

    logto: str

    async def follow_link(self, page: Page, address: str) -> None:
        await page.goto(f"{self.logto}/messages?recipient={quote(address, safe='')}")
        await page.get_by_role("listitem").first.get_by_role("link").click()
        await page.get_by_role("link", name="Open the link").click()


@dataclass(frozen=True, slots=True)
class RecordedMail:
    """Emails that Logto's mock connector recorded."""

    record: EmailRecord = field(default_factory=EmailRecord)

    async def follow_link(self, page: Page, address: str) -> None:
        await page.goto(await self.record.link_for(address))


@asynccontextmanager
async def open_mailbox(site: Site) -> AsyncIterator[Mailbox]:
    """Open the mailbox of a site whose Logto is ours. A Logto that was not started here gets a connector."""
    if site.has_own_logto:
        yield MessagesPage(site.logto)
        return
    management = site.management
    credentials = ManagementCredentials(
        management.token_url,
        management.app_id,
        management.app_secret.get_secret_value(),
        management.resource,
    )
    async with aiohttp.ClientSession(connector=brief_connector()) as http:
        api = ManagementApi(http, management.endpoint, await management_token(http, credentials))
        async with mock_connectors(api):
            yield RecordedMail()
