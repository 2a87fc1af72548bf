"""Mailgun's messages API as Mailgun documents it.

* URL, fields, success: https://documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun/messages
  (``POST /v3/{domain}/messages``, form fields, 200 ``{"id": "<…>", "message": "Queued. Thank you."}``).
* Authentication and statuses: https://documentation.mailgun.com/docs/mailgun/api-reference/api-overview
  (HTTP Basic, user ``api``; 401 for a wrong key, 400 with ``message``, 404 for what is not there).
* Regions, same page: a domain is in the US or in the EU, each with its own base URL. The account's key
  works in both; the other region's domains are unknown.
* The texts of 400 and of the sandbox: Mailgun's error code library,
  https://help.mailgun.com/hc/en-us (“Error Codes Library”).
"""

from __future__ import annotations

import re
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from email.utils import parseaddr

from aiohttp import web

from local_logto.fakes.server import RECEIVED, FakeProvider, Received, serving

DOMAIN = "mg.workroom.example"
EU_DOMAIN = "mg-eu.workroom.example"
API_KEY = "key-of-a-test-account"
MAX_RECIPIENTS = 1000
MAX_OPTIONS = 16 * 1024  # bytes of all o:, h: and v: fields of a message together
CODE = re.compile(r"\b\d{6}\b")


class FakeMailgun(FakeProvider):
    """One region of Mailgun, with one account's domains in it.

    ``sandbox`` are the authorized recipients of a sandbox domain. None means a domain that may send to
    anyone.
    """

    def __init__(self, *domains: str, api_key: str = API_KEY, sandbox: frozenset[str] | None = None) -> None:
        super().__init__()
        self.domains = frozenset(domains)
        self.api_key = api_key
        self.sandbox = sandbox

    def add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_post("/v3/{domain}/messages", self._send)

    async def next_message(self, to: str | None = None) -> Received:
        """Return the next message that was posted, accepted or not, to this recipient if given."""
        return await self.next_request(lambda one: to is None or one.form.get("to") == to)

    async def next_code(self, to: str) -> str:
        """Return the six digits in the next message to this recipient."""
        form = (await self.next_message(to)).form
        found = CODE.search(form.get("text") or form.get("html") or form.get("h:X-Mailgun-Variables", ""))
        assert found is not None, f"no code in {form}"
        return found.group()

    async def _send(self, request: web.Request) -> web.Response:
        received = request[RECEIVED]
        if received.credentials != ("api", self.api_key):
            return web.Response(text="Forbidden", status=401)
        domain = request.match_info["domain"]
        if domain not in self.domains:
            return web.json_response({"message": f"Domain not found: {domain}"}, status=404)
        form = {name: str(value) for name, value in (await request.post()).items()}
        if complaint := _complaint(form):
            return web.json_response({"message": complaint}, status=400)
        if self.sandbox is not None and form["to"] not in self.sandbox:
            refusal = (
                f"Domain {domain} is not allowed to send: Free accounts are for test purposes only. "
                "Please upgrade or add the address to authorized recipients in Account Settings."
            )
            return web.json_response({"message": refusal}, status=403)
        message_id = f"<{secrets.token_hex(8)}@{domain}>"
        return web.json_response({"id": message_id, "message": "Queued. Thank you."})


def _complaint(form: dict[str, str]) -> str | None:
    """Return Mailgun's reason to answer 400, or None if the fields are valid."""
    for name in ("from", "to"):
        if name not in form:
            return f"{name} parameter is missing"
        if any("@" not in parseaddr(address)[1] for address in form[name].split(",")):
            return f"'{name}' parameter is not a valid address. please check documentation"
    if form["to"].count(",") >= MAX_RECIPIENTS:
        return f"Too many recipients; max is {MAX_RECIPIENTS}"
    if "html" in form and "template" in form:
        return "Only one parameters 'html' or 'template' is allowed"
    if not any(form.get(name) for name in ("text", "html", "template")):
        return "Need at least one of 'text' or 'html' parameters specified"
    options = sum(len(name + value) for name, value in form.items() if name[:2] in ("o:", "h:", "v:"))
    if options > MAX_OPTIONS:
        return "Send options (parameters starting with o:, h:, or v:) are limited to 16 kB total"
    return None


@asynccontextmanager
async def fake_mailgun(
    *domains: str, api_key: str = API_KEY, sandbox: frozenset[str] | None = None
) -> AsyncIterator[FakeMailgun]:
    """Run one region. By default the account has ``DOMAIN`` there."""
    async with serving(FakeMailgun(*(domains or (DOMAIN,)), api_key=api_key, sandbox=sandbox)) as mailgun:
        yield mailgun


@asynccontextmanager
async def fake_mailgun_regions() -> AsyncIterator[tuple[FakeMailgun, FakeMailgun]]:
    """Run the US and the EU region with one account, which has ``DOMAIN`` in one and ``EU_DOMAIN`` in the
    other.
    """
    async with AsyncExitStack() as stack:
        us = await stack.enter_async_context(fake_mailgun(DOMAIN))
        eu = await stack.enter_async_context(fake_mailgun(EU_DOMAIN))
        yield us, eu
