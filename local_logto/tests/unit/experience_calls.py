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


def other_code(code: str) -> str:
    """Return a verification code that is not this one."""
    return "000000" if code != "000000" else "111111"


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


async def prove_code(logto: ExperienceApp, address: str, event: str) -> str:
    """Ask for a code and type it back. Returns the verification id."""
    sent = await send_code(logto, address, event)
    body = verification(address, sent, await last_code(logto))
    assert (await logto.call("POST", VERIFY, body))[0] == 200
    return sent


async def offer_identity(logto: ExperienceApp, name: str = "nina") -> dict[str, str]:
    """Offer a username and ``PASSWORD`` for a new account. Returns the body for the identification."""
    body = {"identifier": username(name), "password": PASSWORD}
    status, proof = await logto.call("POST", "/verification/new-password-identity", body)
    assert status == 200
    return {"verificationId": proof["verificationId"]}


async def identify(logto: ExperienceApp, name: str) -> None:
    """Begin a sign-in and identify a person by password."""
    await begin(logto, "SignIn")
    proof = {"verificationId": await prove_password(logto, name)}
    assert await logto.call("POST", "/identification", proof) == (204, None)


async def refusal(logto: ExperienceApp, method: str, path: str, body: object = None) -> tuple[int, str]:
    """Make a call that is refused. Returns the status and Logto's error code."""
    status, answer = await logto.call(method, path, body)
    return status, answer["code"]


async def last_code(logto: ExperienceApp) -> str:
    """Return the code in the newest message."""
    code = (await logto.messages())[0].code
    assert code is not None
    return code
