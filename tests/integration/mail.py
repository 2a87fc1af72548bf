"""Email that Logto sent, and people who sign up with it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, urljoin, urlsplit

from local_logto.testing import Message, Provider

from tests.clients import LogtoVisit, Person

NOBODY: Final = Person("", "", "")


@dataclass(frozen=True, slots=True)
class Mailbox:
    """The messages that Logto sent, as the development provider keeps them."""

    provider: Provider

    async def links_for(self, address: str) -> list[str]:
        """Return the links in the messages to an address, newest first."""
        return [message.link for message in await self._for(address) if message.link]

    async def pages_for(self, address: str) -> list[str]:
        """Return the links without their query, which holds a proof that only the message carries."""
        return [link.partition("?")[0] for link in await self.links_for(address)]

    async def subjects_for(self, address: str) -> list[str]:
        """Return the subjects of the messages to an address, newest first."""
        return [message.subject or "" for message in await self._for(address)]

    async def code_for(self, address: str) -> str:
        """Return the newest verification code sent to an address."""
        return next(message.code for message in await self._for(address) if message.code)

    async def _for(self, address: str) -> list[Message]:
        return await asyncio.to_thread(self.provider.messages, address)


class SignUp(LogtoVisit):
    """A browser's cookies at the provider. Its user has no account and signs up with an emailed code."""

    def __init__(self, address: str, mailbox: Mailbox) -> None:
        super().__init__()
        self._address = address
        self._mailbox = mailbox

    async def _sign_in(self, page: str, person: Person) -> str:
        api, identifier = urljoin(page, "/api/experience"), {"type": "email", "value": self._address}
        await self._call("PUT", api, {"interactionEvent": "Register"}, 204)
        asked = {"identifier": identifier, "interactionEvent": "Register"}
        sent = await self._call("POST", f"{api}/verification/verification-code", asked, 200)
        typed = {
            "identifier": identifier,
            "verificationId": sent["verificationId"],
            "code": await self._mailbox.code_for(self._address),
        }
        await self._call("POST", f"{api}/verification/verification-code/verify", typed, 200)
        proof = {"verificationId": sent["verificationId"]}
        await self._call("POST", f"{api}/identification", proof, 201)
        return str((await self._call("POST", f"{api}/submit", None, 200))["redirectTo"])


class TokenSignIn(LogtoVisit):
    """A browser's cookies at the provider. Its user signs in to their account with a one-time token.

    ``page`` is the query that the provider received.
    """

    def __init__(self) -> None:
        super().__init__()
        self.page: dict[str, str] = {}

    async def _sign_in(self, page: str, person: Person) -> str:
        api, self.page = urljoin(page, "/api/experience"), dict(parse_qsl(urlsplit(page).query))
        await self._call("PUT", api, {"interactionEvent": "SignIn"}, 204)
        identifier = {"type": "email", "value": self.page["login_hint"]}
        proof = {"identifier": identifier, "token": self.page["one_time_token"]}
        verified = await self._call("POST", f"{api}/verification/one-time-token/verify", proof, 200)
        body = {"verificationId": verified["verificationId"]}
        await self._call("POST", f"{api}/identification", body, 204)
        return str((await self._call("POST", f"{api}/submit", None, 200))["redirectTo"])


class TokenSignUp(LogtoVisit):
    """A browser's cookies at the provider. Its user has no account and signs up with a one-time token.

    ``profile`` has the other values that the sign-up asks for. ``page`` is the query that the provider
    received.
    """

    def __init__(self, profile: list[dict[str, str]] | None = None) -> None:
        super().__init__()
        self.profile = profile or []
        self.page: dict[str, str] = {}

    async def _sign_in(self, page: str, person: Person) -> str:
        api, self.page = urljoin(page, "/api/experience"), dict(parse_qsl(urlsplit(page).query))
        identifier = {"type": "email", "value": self.page["login_hint"]}
        await self._call("PUT", api, {"interactionEvent": "SignIn"}, 204)
        proof = {"identifier": identifier, "token": self.page["one_time_token"]}
        verified = await self._call("POST", f"{api}/verification/one-time-token/verify", proof, 200)
        body = {"verificationId": verified["verificationId"]}
        await self._call("POST", f"{api}/identification", body, 404)
        await self._call("PUT", f"{api}/interaction-event", {"interactionEvent": "Register"}, 204)
        for addition in self.profile:
            await self._call("POST", f"{api}/profile", addition, 204)
        await self._call("POST", f"{api}/identification", body, 201)
        return str((await self._call("POST", f"{api}/submit", None, 200))["redirectTo"])
