"""``/verification-codes``: codes for the product's own purposes, independent of sign-ins."""

from __future__ import annotations

from typing import Any, Final

from quart import Blueprint, Response

from local_logto import verification_codes
from local_logto.connectors.sending import Kind, Outgoing
from local_logto.connectors.templates import GENERIC
from local_logto.context import current_settings, current_store
from local_logto.management.guard import read_body
from local_logto.responses import no_content
from local_logto.settings_rows import SIGN_IN_EXP, read_setting
from local_logto.values import AnyOf, Shape, Text
from local_logto.verification_codes import CodePolicy

_EMAIL: Final = {"email": Text(pattern=r"\S+@\S+\.\S+")}
_PHONE: Final = {"phone": Text(pattern=r"\d+")}
_CODE: Final = {"verificationCode": Text(min=1)}
_RECIPIENT: Final = AnyOf((Shape(_EMAIL), Shape(_PHONE)))
_ANSWER: Final = AnyOf((Shape({**_EMAIL, **_CODE}), Shape({**_PHONE, **_CODE})))

blueprint = Blueprint("verification_codes", __name__, url_prefix="/verification-codes")


@blueprint.post("")
async def send_code() -> Response:
    """Send a code with the generic template. It replaces an unused one."""
    kind, recipient = _recipient(await read_body(_RECIPIENT))
    message = Outgoing(kind, recipient, GENERIC, {})
    await verification_codes.send_code(current_store(), current_settings(), _key(kind, recipient), message)
    return no_content()


@blueprint.post("/verify")
async def check_code() -> Response:
    body = await read_body(_ANSWER)
    kind, recipient = _recipient(body)
    settings = read_setting(current_store(), SIGN_IN_EXP)
    policy = CodePolicy.from_json(settings["verificationCodePolicy"])
    await verification_codes.use_code(
        current_store(), _key(kind, recipient), kind, recipient, body["verificationCode"], policy
    )
    return no_content()


def _recipient(body: dict[str, Any]) -> tuple[Kind, str]:
    return ("email", body["email"]) if "email" in body else ("phone", body["phone"])


def _key(kind: Kind, recipient: str) -> str:
    """Return the verification ID. Codes of this API belong to the recipient alone."""
    return f"{kind}:{recipient}"
