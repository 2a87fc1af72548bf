"""A minimal browser that signs a person in and stops where the provider sends it away."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import unescape
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

from local_logto.testing.people import Person
from local_logto.testing.transport import Reply, RequestRefused, expect, send

_MOST_REDIRECTS: Final = 12
_REFRESH: Final = re.compile(r'http-equiv="refresh" content="0; url=([^"]+)"')


@dataclass(slots=True)
class Browser:
    """Cookies at the provider, and the way through its sign-in."""

    endpoint: str
    cookies: dict[str, str] = field(default_factory=dict, repr=False)

    def sign_in(self, authorization_url: str, person: Person) -> str:
        """Follow an authorization request. Returns the callback URL, with ``code`` or ``error`` in its query.

        The person signs in with their password if the provider asks. Raises :class:`RequestRefused` if the
        provider shows a page that needs a decision.
        """
        return self._follow(authorization_url, person)

    def leave(self, url: str) -> str:
        """Follow a URL until it leaves the provider. Returns where to.

        Raises :class:`RequestRefused` if the provider asks for a sign-in or a decision.
        """
        return self._follow(url, None)

    def _follow(self, url: str, person: Person | None) -> str:
        for _ in range(_MOST_REDIRECTS):
            if not url.startswith(f"{self.endpoint}/"):
                return url
            url = urljoin(url, self._next(url))
            if person is not None and urlsplit(url).path in ("/sign-in", "/register"):
                url = self._prove_password(person)
        raise RequestRefused(f"no callback after {_MOST_REDIRECTS} redirects, last {urlsplit(url).path}")

    def _next(self, url: str) -> str:
        """Open a page that redirects, or that moves on by itself. Returns where to."""
        reply = self._open("GET", url)
        if reply.status == 200 and (refresh := _REFRESH.search(reply.text)):
            return unescape(refresh[1])
        return str(expect(reply, f"GET {urlsplit(url).path}", 302, 303).headers["Location"])

    def _prove_password(self, person: Person) -> str:
        """Sign in through the Experience API. Returns the URL where the authorization request continues."""
        identifier = {"type": "username", "value": person.username}
        self._call("PUT", "", {"interactionEvent": "SignIn"})
        proof = self._call(
            "POST", "/verification/password", {"identifier": identifier, "password": person.password}
        )
        self._call("POST", "/identification", {"verificationId": proof["verificationId"]})
        return str(self._call("POST", "/submit")["redirectTo"])

    def _call(self, method: str, path: str, body: object = None) -> Any:
        reply = self._open(method, f"{self.endpoint}/api/experience{path}", body)
        return expect(reply, f"{method} /api/experience{path}", 200, 201, 204).json

    def _open(self, method: str, url: str, body: object = None) -> Reply:
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        reply = send(method, url, headers={"Cookie": cookies}, body=body)
        for line in reply.headers.get_all("Set-Cookie", []):
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value
            if "expires=Thu, 01 Jan 1970" in line:
                del self.cookies[name]
        return reply
