"""A minimal browser that signs a person in and stops at the provider's redirect back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

from local_logto.testing.people import Person
from local_logto.testing.transport import Reply, RequestRefused, expect, send

_MOST_REDIRECTS: Final = 12


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
        url = authorization_url
        for _ in range(_MOST_REDIRECTS):
            if not url.startswith(f"{self.endpoint}/"):
                return url
            reply = expect(self._open("GET", url), f"GET {urlsplit(url).path}", 302, 303)
            url = urljoin(url, reply.headers["Location"])
            if urlsplit(url).path in ("/sign-in", "/register"):
                url = self._prove_password(person)
        raise RequestRefused(f"no callback after {_MOST_REDIRECTS} redirects, last {urlsplit(url).path}")

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
