"""An ID token given back as a hint about who is meant (``id_token_hint``). It may have expired."""

from __future__ import annotations

from local_logto.context import current_settings
from local_logto.crypto.signed_tokens import unverified_claims, verified_claims
from local_logto.errors import invalid_request
from local_logto.oidc.clients import Client


async def subject_of(hint: str | None, client: Client) -> str | None:
    """The person the hint names; raises ``invalid_request`` when it is none of ours for this client."""
    if hint is None:
        return None
    claims = await verified_claims(hint)
    if claims is None or claims.get("aud") != client.id or claims.get("iss") != current_settings().issuer:
        raise invalid_request("could not validate id_token_hint")
    return str(claims["sub"])


def audience_of(hint: str) -> str:
    """The client a hint was issued to, before its signature is checked; raises ``invalid_request``."""
    claims = unverified_claims(hint)
    if claims is None:
        raise invalid_request("could not decode id_token_hint")
    return str(claims.get("aud", ""))
