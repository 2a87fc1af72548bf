"""``/users/:userId/mfa-verifications``: the second factors of an account."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit

import sqlalchemy as sa
from quart import Blueprint, Response, request

from local_logto import second_factors
from local_logto.context import current_store, origin_of
from local_logto.management.failures import not_found
from local_logto.management.guard import read_body
from local_logto.management.users import get_user_row, update_user_row
from local_logto.refusals import refusal
from local_logto.responses import json_response, no_content
from local_logto.second_factors import BACKUP_CODE, TOTP, Factor, Factors
from local_logto.store import now_ms
from local_logto.values import Choice, ListOf, Shape, Text

_FACTOR: Final = Shape({"type": Choice((TOTP, BACKUP_CODE))}, {"secret": Text(), "codes": ListOf(Text())})

blueprint = Blueprint("user_factors", __name__, url_prefix="/users/<user_id>/mfa-verifications")


@blueprint.get("")
async def list_factors(user_id: str) -> Response:
    """List the factors without their secrets."""
    with current_store().begin() as connection:
        factors = _read(connection, user_id)
    return json_response([second_factors.shown(factor) for factor in factors])


@blueprint.post("")
async def add_factor(user_id: str) -> Response:
    """Enroll a factor. Only this answer shows its secret or codes."""
    body = await read_body(_FACTOR)
    with current_store().begin() as connection:
        row = get_user_row(connection, user_id)
        factors: Factors = row["mfa_verifications"]
        if body["type"] == TOTP:
            factor, answer = _new_totp(factors, body.get("secret"), row)
        else:
            factor, answer = _new_backup_codes(factors, body.get("codes"))
        added = second_factors.with_factor(factors, factor)
        update_user_row(connection, user_id, {"mfa_verifications": added})
    return json_response({"type": body["type"], **answer})


@blueprint.delete("/<factor_id>")
async def delete_factor(user_id: str, factor_id: str) -> Response:
    with current_store().begin() as connection:
        factors = _read(connection, user_id)
        kept = [factor for factor in factors if factor["id"] != factor_id]
        if len(kept) == len(factors):
            raise not_found()
        update_user_row(connection, user_id, {"mfa_verifications": kept})
    return no_content()


def _new_totp(factors: Factors, given: str | None, user: sa.RowMapping) -> tuple[Factor, dict[str, Any]]:
    if second_factors.find_factor(factors, TOTP):
        raise refusal("user.totp_already_in_use")
    secret = given or second_factors.new_totp_secret()
    if not second_factors.is_totp_secret(secret):
        raise refusal("user.totp_secret_invalid")
    service = urlsplit(origin_of(request)).hostname or ""
    qr_code = second_factors.qr_data_uri(
        second_factors.key_uri(secret, second_factors.account_label(user), service)
    )
    return second_factors.totp_factor(secret, now_ms()), {"secret": secret, "secretQrCode": qr_code}


def _new_backup_codes(factors: Factors, given: list[str] | None) -> tuple[Factor, dict[str, Any]]:
    if BACKUP_CODE in second_factors.provable_kinds(factors):
        raise refusal("user.backup_code_already_in_use")
    if not second_factors.find_factor(factors, TOTP):
        raise refusal("session.mfa.backup_code_can_not_be_alone")
    codes = given or second_factors.new_backup_codes()
    if not second_factors.are_backup_codes(codes):
        raise refusal("user.wrong_backup_code_format")
    return second_factors.backup_code_factor(codes, now_ms()), {"codes": codes}


def _read(connection: sa.Connection, user_id: str) -> list[dict[str, Any]]:
    row = get_user_row(connection, user_id)
    return list(row["mfa_verifications"])
