"""Authentication of the application that calls the token, introspection or revocation endpoint."""

from __future__ import annotations

import base64
import binascii
import hmac
from typing import Final
from urllib.parse import unquote

import sqlalchemy as sa
from quart import Request

from local_logto.context import current_settings, current_store
from local_logto.errors import OidcError, invalid_request
from local_logto.oidc.clients import Client, find_client
from local_logto.oidc.cors import remember_client
from local_logto.oidc.request_params import Params
from local_logto.store import now_ms
from local_logto.tables import application_secrets

CREDENTIAL_PARAMS: Final = ("client_id", "client_secret")
_BAD_HEADER: Final = "invalid authorization header value format"


def authenticate(request: Request, params: Params) -> Client:
    """Return the authenticated client. Confidential clients send a secret, public ones their ``client_id``.

    Raises ``invalid_request`` or ``invalid_client`` (RFC 6749 §2.3, with Logto 1.42's messages).
    """
    params.reject_duplicates(among=CREDENTIAL_PARAMS)
    client_id, secret, by_header = _credentials(request, params)
    if client_id is None:
        raise invalid_request("no client authentication mechanism provided")
    client = find_client(client_id)
    if client is None:
        raise OidcError(400, "invalid_client", f"invalid client {client_id}")
    remember_client(client)
    if client.is_public != (secret is None):
        raise _failed(by_header=by_header)
    if secret is not None and not _is_secret_of(client.id, secret):
        raise _failed(by_header=by_header)
    return client


def _credentials(request: Request, params: Params) -> tuple[str | None, str | None, bool]:
    """Return the client ID, the secret, and whether they came in the Authorization header."""
    header = request.headers.get("Authorization")
    client_id, secret = params.get("client_id"), params.get("client_secret")
    if not header:
        return client_id, secret, False
    if secret is not None:
        raise invalid_request("client authentication must only be provided using one mechanism")
    basic_id, basic_secret = _parse_basic(header)
    if client_id is not None and client_id != basic_id:
        raise invalid_request("client_id mismatch")
    if not basic_secret:
        raise invalid_request("client_secret must be provided in the Authorization header")
    return basic_id, basic_secret, True


def _parse_basic(header: str) -> tuple[str, str]:
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic" or not encoded or " " in encoded:
        raise invalid_request(_BAD_HEADER)
    try:
        text = base64.b64decode(encoded + "=" * (-len(encoded) % 4)).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise invalid_request(_BAD_HEADER) from None
    client_id, colon, secret = text.partition(":")
    if not colon:
        raise invalid_request(_BAD_HEADER)
    return _form_decoded(client_id), _form_decoded(secret)


def _form_decoded(text: str) -> str:
    try:
        return unquote(text.replace("+", " "), errors="strict")
    except UnicodeDecodeError:
        raise invalid_request(
            "client_id and client_secret in the authorization header are not properly encoded"
        ) from None


def _is_secret_of(client_id: str, secret: str) -> bool:
    """Return whether the secret is one of the application's. Raises ``invalid_request`` if it has expired."""
    query = sa.select(application_secrets.c.value, application_secrets.c.expires_at).where(
        application_secrets.c.application_id == client_id
    )
    with current_store().begin() as connection:
        rows = connection.execute(query).all()
    for row in rows:
        if hmac.compare_digest(row.value.encode(), secret.encode()):
            if row.expires_at is not None and row.expires_at <= now_ms():
                raise invalid_request("client secret has expired")
            return True
    return False


def _failed(*, by_header: bool) -> OidcError:
    description = "client authentication failed"
    realm = current_settings().issuer
    challenge = f'Basic realm="{realm}", error="invalid_client", error_description="{description}"'
    return OidcError(401, "invalid_client", description, www_authenticate=challenge if by_header else None)
