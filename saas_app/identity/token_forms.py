"""The forms that Workroom sends to Logto's token endpoint, also for pages that explain a request."""

from __future__ import annotations

from typing import Final

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
