"""Sign-ins through the Experience API that have or need a second factor."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pyotp

from contract.client import LogtoBrowser, Reply
from contract.management import ManagementApi
from contract.people import Person
from contract.world import World

Settings = Callable[..., Awaitable[None]]

TOTP_ONLY = {"factors": ["Totp"], "policy": "NoPrompt"}
TOTP_AND_CODES = {"factors": ["Totp", "BackupCode"], "policy": "NoPrompt"}


@dataclass(slots=True)
class Visit:
    """One person's sign-in through the Experience API."""

    browser: LogtoBrowser
    person: Person

    async def begin(self, world: World) -> Visit:
        """Identify the person by password, which is everything before the second factor."""
        await self.browser.begin(world.web)
        proof = (await self.browser.offer_password(self.person)).expect(200).body
        (await self.call("POST", "/identification", proof)).expect(204)
        return self

    async def call(self, method: str, path: str, body: object = None) -> Reply:
        return await self.browser.experience(method, path, body)

    async def post(self, path: str, **body: object) -> Reply:
        return await self.call("POST", path, body)

    async def submit(self) -> Reply:
        return await self.call("POST", "/submit")

    async def prove_new_totp(self) -> tuple[str, dict[str, str]]:
        """Prove a new authenticator app. Returns its secret and the proof."""
        new = (await self.call("POST", "/verification/totp/secret")).expect(200).body
        body = {"verificationId": new["verificationId"], "code": pyotp.TOTP(new["secret"]).now()}
        return str(new["secret"]), (await self.post("/verification/totp/verify", **body)).expect(200).body

    async def bind_totp(self, proof: dict[str, str]) -> Reply:
        return await self.post("/profile/mfa", type="Totp", **proof)

    async def new_totp(self) -> str:
        """Prove a new authenticator app and bind it. Returns its secret."""
        secret, proof = await self.prove_new_totp()
        (await self.bind_totp(proof)).expect(204)
        return secret

    async def new_backup_codes(self) -> list[str]:
        new = (await self.call("POST", "/verification/backup-code/generate")).expect(200).body
        bound = await self.post("/profile/mfa", type="BackupCode", verificationId=new["verificationId"])
        bound.expect(204)
        return list(new["codes"])


VisitOf = Callable[[Person], Awaitable[Visit]]


async def enroll(api: ManagementApi, person: Person, kind: str = "Totp") -> Any:
    reply = await api.post(f"/users/{person.id}/mfa-verifications", {"type": kind})
    return reply.expect(200).body
