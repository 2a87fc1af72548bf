"""The Experience API's routes for second factors, below /api/experience (Logto 1.42)."""

from __future__ import annotations

from typing import Final

from quart import Blueprint, Response

from local_logto import second_factors
from local_logto.experience import mfa, mfa_codes, profile
from local_logto.experience.api import open_begun, verified
from local_logto.management.guard import read_body
from local_logto.responses import json_response, no_content
from local_logto.second_factors import BACKUP_CODE, EMAIL_CODE, PHONE_CODE, TOTP
from local_logto.values import Choice, Shape, Text

_KINDS: Final = (TOTP, "WebAuthn", BACKUP_CODE, EMAIL_CODE, PHONE_CODE)
_CHECK_TOTP: Final = Shape({"code": Text(min=1)}, {"verificationId": Text()})
_CHECK_BACKUP_CODE: Final = Shape({"code": Text(min=1)})
_ADDRESS_TYPE: Final = Choice(("email", "phone"))
_SEND_CODE: Final = Shape({"identifierType": _ADDRESS_TYPE})
_CHECK_CODE: Final = Shape({"verificationId": Text(), "code": Text(), "identifierType": _ADDRESS_TYPE})
_BIND: Final = Shape({"type": Choice(_KINDS), "verificationId": Text()})

blueprint = Blueprint("mfa_api", __name__, url_prefix="/api/experience")


@blueprint.post("/verification/totp/secret")
async def create_totp_secret() -> Response:
    session = open_begun()
    new = await mfa.create_totp(session)
    return json_response(
        {
            "verificationId": new.verification_id,
            "secret": new.secret,
            "secretQrCode": second_factors.qr_data_uri(new.uri),
        }
    )


@blueprint.post("/verification/totp/verify")
async def check_totp() -> Response:
    """Verify the secret created in this interaction, or without ``verificationId`` the enrolled factor."""
    session = open_begun()
    body = await read_body(_CHECK_TOTP)
    if body.get("verificationId"):
        return verified(await mfa.verify_new_totp(session, body["verificationId"], body["code"]))
    return verified(await mfa.verify_totp(session, body["code"]))


@blueprint.post("/verification/backup-code/generate")
async def create_backup_codes() -> Response:
    session = open_begun()
    proof = await mfa.create_backup_codes(session)
    return json_response({"verificationId": proof.id, "codes": list(proof.codes)})


@blueprint.post("/verification/backup-code/verify")
async def check_backup_code() -> Response:
    session = open_begun()
    body = await read_body(_CHECK_BACKUP_CODE)
    return verified(await mfa.verify_backup_code(session, body["code"]))


@blueprint.post("/verification/mfa-verification-code")
async def send_code() -> Response:
    session = open_begun()
    body = await read_body(_SEND_CODE)
    return verified(await mfa_codes.send_mfa_code(session, body["identifierType"]))


@blueprint.post("/verification/mfa-verification-code/verify")
async def check_code() -> Response:
    session = open_begun()
    body = await read_body(_CHECK_CODE)
    proof_id, address_type = body["verificationId"], body["identifierType"]
    return verified(await mfa_codes.verify_mfa_code(session, proof_id, address_type, body["code"]))


@blueprint.post("/profile/mfa")
async def bind_factor() -> Response:
    session = open_begun()
    body = await read_body(_BIND)
    address_type = mfa_codes.ADDRESS_TYPES.get(body["type"])
    if address_type:  # the address itself is the factor
        await profile.add_verified_address(session, address_type, body["verificationId"])
        await mfa.enable(session)
    else:
        await mfa.bind(session, body["type"], body["verificationId"])
    return no_content()


@blueprint.post("/profile/mfa/mfa-enabled")
async def enable_mfa() -> Response:
    await mfa.enable(open_begun())
    return no_content()


@blueprint.post("/profile/mfa/mfa-skipped")
async def skip_mfa() -> Response:
    await mfa.skip(open_begun())
    return no_content()
