"""What a browser reports during a test: errors, blocked content, requests to other hosts, Logto's pages."""

from __future__ import annotations

from playwright.async_api import BrowserContext, ConsoleMessage, Frame, Page, Request, Response, WebError

from saas_app.web.origin import origin_of
from tests.browser.site import Site

_ABORTED = "net::ERR_ABORTED"  # a download or another navigation began
_STATUS_ECHO = "Failed to load resource"  # responses are checked themselves


class Watch:
    """Complaints about one browser context. An error page is a valid response; a missing image is not.

    Pages of origins that are not judged cause no complaints.
    """

    def __init__(
        self, context: BrowserContext, allowed_origins: frozenset[str], judged_origins: frozenset[str]
    ) -> None:
        self.complaints: list[str] = []
        self._allowed = allowed_origins
        self._judged = judged_origins
        context.on("console", self._console)
        context.on("weberror", self._web_error)
        context.on("request", self._request)
        context.on("requestfailed", self._request_failed)
        context.on("response", self._response)

    def _console(self, message: ConsoleMessage) -> None:
        place = message.location.get("url") or (message.page.url if message.page else "")
        is_told = message.type in ("error", "warning") and not message.text.startswith(_STATUS_ECHO)
        if is_told and self._is_judged(place):
            self._note(f"console {message.type}: {message.text}")

    def _web_error(self, error: WebError) -> None:
        if self._is_judged(error.page.url if error.page else ""):
            self._note(f"uncaught: {error.error}")

    def _request(self, request: Request) -> None:
        origin = origin_of(request.url)
        if origin is not None and origin not in self._allowed and self._is_judged(_asked_by(request)):
            self._note(f"a request to another host: {request.url}")

    def _request_failed(self, request: Request) -> None:
        if request.failure != _ABORTED and self._is_judged(_asked_by(request)):
            self._note(f"{request.method} {request.url} failed: {request.failure}")

    def _response(self, response: Response) -> None:
        is_refusal = response.status >= 400 and response.request.resource_type != "document"
        if is_refusal and self._is_judged(_asked_by(response.request)):
            self._note(f"{response.request.method} {response.url}: {response.status}")

    def _is_judged(self, url: str) -> bool:
        origin = origin_of(url)
        return origin is None or origin in self._judged

    def _note(self, complaint: str) -> None:
        self.complaints.append(complaint)


def _asked_by(request: Request) -> str:
    """Return the page that sent the request; for a navigation, the page it leads to."""
    return request.url if request.is_navigation_request() else request.frame.url


def watch_logto_pages(page: Page, site: Site) -> list[str]:
    """Return a list that collects every page of Logto shown from now on. A silent round trip shows none."""
    shown: list[str] = []

    def note(frame: Frame) -> None:
        if origin_of(frame.url) == origin_of(site.logto):
            shown.append(frame.url)

    page.on("framenavigated", note)
    return shown
