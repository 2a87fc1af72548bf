"""The provider's page of messages: what an HTML email may do in a real browser."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from local_logto.testing import Provider
from local_logto.testing.provider import running_provider
from playwright.async_api import Browser, Page, expect

from tests.browser.page_checks import DESKTOP, findings_on

NINA = "nina@example.test"


def send_html(provider: Provider, content: str) -> None:
    """Send Nina a code in an HTML email with this content."""
    details = {"subject": "Your code", "content": content, "contentType": "text/html"}
    template = {"languageTag": "en", "templateType": "Generic", "details": details}
    provider.management.call("PUT", "/email-templates", {"templates": [template]})
    provider.management.call("POST", "/verification-codes", {"email": NINA})


@asynccontextmanager
async def stranger() -> AsyncIterator[tuple[str, list[bytes]]]:
    """Another server, and the first lines of the requests that it receives."""
    received: list[bytes] = []

    async def receive(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received.append(await reader.readline())
        writer.close()

    server = await asyncio.start_server(receive, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", received


async def test_html_email_runs_no_script_and_loads_nothing_but_its_links_work(
    browser: Browser, tmp_path: Path
) -> None:
    async with stranger() as (away, received):
        with running_provider(tmp_path) as provider:
            send_html(
                provider,
                '<p id="said">Hello</p><script>document.getElementById("said").textContent = "No"</script>'
                f'<img src="{away}/pixel.png" onerror="document.body.textContent = 1">'
                f'<link rel="stylesheet" href="{away}/style.css">'
                f"<style>p {{ background: url({away}/background) }}</style>"
                f'<iframe src="{away}/frame"></iframe><meta http-equiv="refresh" content="0;url={away}/">'
                f'<a href="{provider.endpoint}/unknown-session">Continue</a>',
            )
            page = await browser.new_page()
            await page.goto(f"{provider.endpoint}/messages")
            await page.get_by_role("link", name="Your code").click()
            frame = page.frame_locator("iframe")
            async with page.expect_popup() as opening:
                await frame.get_by_role("link", name="Continue").click()

            await expect((await opening.value).get_by_role("heading")).to_have_text(
                "This sign-in has expired"
            )
            await expect(frame.get_by_text("Hello")).to_be_visible()
            await page.context.close()
    assert received == []


async def test_messages_are_accessible_and_fit_a_phone(browser: Browser, tmp_path: Path) -> None:
    with running_provider(tmp_path) as provider:
        context = await browser.new_context(viewport=DESKTOP)
        page = await context.new_page()
        assert await findings_on(page, _tour(page, provider)) == []
        await context.close()


async def _tour(page: Page, provider: Provider) -> AsyncIterator[str]:
    await page.goto(f"{provider.endpoint}/messages")
    yield "no messages"
    send_html(provider, f"<p>{{{{code}}}}</p><p>{'long' * 40}</p>")
    provider.management.call("POST", "/verification-codes", {"phone": "12025550101"})
    await page.goto(f"{provider.endpoint}/messages")
    yield "messages"
    await page.get_by_role("link", name="Your code", exact=True).click()
    yield "an HTML email"
    await page.goto(f"{provider.endpoint}/messages?recipient=12025550101")
    await page.get_by_role("listitem").get_by_role("link").click()
    yield "a text message"
    await page.goto(f"{provider.endpoint}/messages?q=nothing+like+it")
    yield "no message found"
