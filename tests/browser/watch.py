"""What a browser notices while somebody works: errors, blocked content, strangers spoken to, being asked."""

from __future__ import annotations

from playwright.async_api import BrowserContext, ConsoleMessage, Frame, Page, Request, Response, WebError

from saas_app.web.origin import origin_of
from tests.browser.site import Site

_ABORTED = "net::ERR_ABORTED"  # a download began, or the person went elsewhere: nobody's fault
_STATUS_ECHO = "Failed to load resource"  # the console repeats statuses; responses are looked at themselves


class Watch:
    """Gathers complaints of one browser context; a refused page is an answer, a refused image is not."""

    def __init__(self, context: BrowserContext, allowed_origins: frozenset[str]) -> None:
        self.complaints: list[str] = []
        self._allowed = allowed_origins
        context.on("console", self._console)
        context.on("weberror", self._web_error)
        context.on("request", self._request)
        context.on("requestfailed", self._request_failed)
        context.on("response", self._response)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not message.text.startswith(_STATUS_ECHO):
            self._note(f"console {message.type}: {message.text}")

    def _web_error(self, error: WebError) -> None:
        self._note(f"uncaught: {error.error}")

    def _request(self, request: Request) -> None:
        origin = origin_of(request.url)
        if origin is not None and origin not in self._allowed:
            self._note(f"a request to another host: {request.url}")

    def _request_failed(self, request: Request) -> None:
        if request.failure != _ABORTED:
            self._note(f"{request.method} {request.url} failed: {request.failure}")

    def _response(self, response: Response) -> None:
        if response.status >= 400 and response.request.resource_type != "document":
            self._note(f"{response.request.method} {response.url}: {response.status}")

    def _note(self, complaint: str) -> None:
        self.complaints.append(complaint)


def pages_that_ask(page: Page, site: Site) -> list[str]:
    """Fills with every page of Logto's that is shown from here on; a silent round trip shows none."""
    shown: list[str] = []

    def note(frame: Frame) -> None:
        if origin_of(frame.url) == origin_of(site.logto):
            shown.append(frame.url)

    page.on("framenavigated", note)
    return shown
