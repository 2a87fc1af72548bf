"""Reading claims that were verified before, when the token that carries them came."""

from __future__ import annotations

from typing import Any, Final

import jwt

ORGANIZATION_AUDIENCE: Final = "urn:logto:organization:"
"""What an organization token's audience begins with; the organization's id follows (Logto 1.42)."""


def decode_unverified(token: str) -> dict[str, Any]:
    """The claims of a token that was verified when it was fetched; empty for what is not a JWT."""
    try:
        claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    except jwt.InvalidTokenError:
        return {}
    return claims


def organization_roles(claims: dict[str, Any], organization_id: str) -> frozenset[str]:
    """Role names in one organization, from ``organization_roles: ["<organization id>:<role name>"]``.

    A role's name may hold a colon, so only the first one separates (Logto 1.42).
    """
    names = set()
    for entry in claims.get("organization_roles", ()):
        owner, separator, name = str(entry).partition(":")
        if separator and owner == organization_id:
            names.add(name)
    return frozenset(names)
