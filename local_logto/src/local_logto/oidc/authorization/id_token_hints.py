"""ID tokens as hints about the person (``id_token_hint``). They may have expired."""

from __future__ import annotations

from local_logto.context import current_settings, current_store
from local_logto.crypto.signed_tokens import unverified_claims, verified_claims
from local_logto.errors import invalid_request
from local_logto.oidc.clients import Client


def subject_of(hint: str | None, client: Client) -> str | None:
    """Return the person in the hint. Raises ``invalid_request`` if we didn't issue it for this client."""
    if hint is None:
        return None
    with current_store().begin() as connection:
        claims = verified_claims(connection, hint)
    if claims is None or claims.get("aud") != client.id or claims.get("iss") != current_settings().issuer:
        raise invalid_request("could not validate id_token_hint")
    return str(claims["sub"])


def audience_of(hint: str) -> str:
    """Return the client that a hint was issued to, without checking its signature. Raises
    ``invalid_request``.
    """
    claims = unverified_claims(hint)
    if claims is None:
        raise invalid_request("could not decode id_token_hint")
    return str(claims.get("aud", ""))
