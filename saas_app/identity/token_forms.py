"""The forms that Workroom sends to Logto's token endpoint, also for pages that explain a request."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

_OF_TYPE: Final = "urn:ietf:params:oauth:token-type:"
_EXCHANGE: Final = "urn:ietf:params:oauth:grant-type:token-exchange"
_IMPERSONATION: Final = "urn:logto:token-type:impersonation_token"

PLACEHOLDER: Final = "a secret"
"""Stands for a secret in a form that is only described. :mod:`.wire` replaces it by the secret's name."""


def code_form(
    client_id: str, client_secret: str | None, *, redirect_uri: str, code: str, code_verifier: str
) -> dict[str, str]:
    """Return the form that exchanges the code of a sign-in for tokens."""
    return {
        "grant_type": "authorization_code",
        "client_id": client_id,
        "client_secret": client_secret or "",
        "redirect_uri": redirect_uri,
        "code": code,
        "code_verifier": code_verifier,
    }


def refresh_form(
    client_id: str,
    client_secret: str | None,
    *,
    refresh_token: str,
    organization_id: str | None,
    resource: str | None,
) -> dict[str, str]:
    """Return the form that fetches a token: for an organization, an API resource in it, or neither."""
    form = {
        "grant_type": "refresh_token",
        "client_id": client_id,
        "client_secret": client_secret or "",
        "refresh_token": refresh_token,
    }
    if organization_id:
        form["organization_id"] = organization_id
    if resource:
        form["resource"] = resource
    return form


def exchange_form(
    client_id: str,
    client_secret: str,
    *,
    subject_token: str,
    actor_token: str,
    organization_id: str,
    resource: str | None,
    scopes: Collection[str],
) -> dict[str, str]:
    """Return the form that exchanges two people's tokens for one that names both (RFC 8693 §2.1).

    Logto 1.42 wants the actor's opaque token, and grants only scopes that are named.
    """
    form = {
        "grant_type": _EXCHANGE,
        "client_id": client_id,
        "client_secret": client_secret,
        "subject_token": subject_token,
        "subject_token_type": _IMPERSONATION,
        "actor_token": actor_token,
        "actor_token_type": f"{_OF_TYPE}access_token",
        "organization_id": organization_id,
        "scope": " ".join(scopes),
    }
    if resource:
        form["resource"] = resource
    return form
