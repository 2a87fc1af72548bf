"""Calls of the Experience API that several tests make."""

from __future__ import annotations

from unit.experience_app import PASSWORD, ExperienceApp

VERIFY = "/verification/verification-code/verify"


def username(value: str) -> dict[str, str]:
    return {"type": "username", "value": value}


def email(value: str) -> dict[str, str]:
    return {"type": "email", "value": value}


def verification(address: str, verification_id: str, code: str) -> dict[str, object]:
    return {"identifier": email(address), "verificationId": verification_id, "code": code}


async def begin(logto: ExperienceApp, event: str) -> None:
    assert await logto.call("PUT", "", {"interactionEvent": event}) == (204, None)


async def prove_password(logto: ExperienceApp, name: str) -> str:
    body = {"identifier": username(name), "password": PASSWORD}
    status, answer = await logto.call("POST", "/verification/password", body)
    assert status == 200
    return str(answer["verificationId"])


async def send_code(logto: ExperienceApp, address: str, event: str) -> str:
    body = {"identifier": email(address), "interactionEvent": event}
    status, answer = await logto.call("POST", "/verification/verification-code", body)
    assert status == 200
    return str(answer["verificationId"])


async def last_code(logto: ExperienceApp) -> str:
    """The code in the newest message."""
    code = (await logto.messages())[0].code
    assert code is not None
    return code
