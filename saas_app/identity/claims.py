"""Claims: whether those of a verified token are of the types we rely on, and reading them again later.

A signature says who wrote a claim, not that it makes sense: Logto lets a tenant write claims of its own. What
we decide by must be what it should be, or the token is refused; every text loses what no database holds.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, TypeAlias

import jwt
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from saas_app.text.cleaning import clean_json
from saas_app.text.ids import ID_PATTERN

ORGANIZATION_AUDIENCE: Final = "urn:logto:organization:"
"""What an organization token's audience begins with; the organization's id follows (Logto 1.42)."""


Id: TypeAlias = Annotated[str, StringConstraints(pattern=rf"^{ID_PATTERN}\z")]
"""What Logto names people, machines and organizations by (1.42)."""

_IDS: Final[TypeAdapter[str]] = TypeAdapter(Id)
_Second: TypeAlias = Annotated[float, Field(ge=0, le=253_402_300_799)]  # to the end of the year 9999


class OddClaim(ValueError):
    """A claim that is not of its type. The text names it, and holds nothing of its value."""


class _ReliedOn(BaseModel):
    """The claims that something is decided by. Names and addresses are not: :mod:`.directory` bounds them."""

    model_config = ConfigDict(strict=True, extra="ignore")

    sub: Id | None = None
    client_id: Id | None = None
    organization_id: Id | None = None
    organizations: list[Id] | None = None
    organization_roles: list[str] | None = None
    scope: str | None = None
    sid: str | None = None
    jti: str | None = None
    nonce: str | None = None
    iat: _Second = 0
    exp: _Second = 0
    nbf: _Second = 0


def checked(claims: dict[str, Any]) -> dict[str, Any]:
    """The claims with clean texts, those that we rely on of their types. Raises :class:`OddClaim`."""
    try:
        _ReliedOn.model_validate(claims)
    except ValidationError as error:
        where = error.errors(include_input=False, include_url=False)[0]["loc"]
        raise OddClaim(f"claim {where[0]} is not what it should be") from None
    cleaned: dict[str, Any] = clean_json(claims)
    return cleaned


def is_id(value: object) -> bool:
    """Whether it can be the id of anything at Logto."""
    try:
        _IDS.validate_python(value, strict=True)
    except ValidationError:
        return False
    return True


def decode_unverified(token: str) -> dict[str, Any]:
    """The claims of a token that was verified when it was fetched; empty for what is not a JWT."""
    try:
        claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    except (jwt.InvalidTokenError, ValueError, RecursionError):
        return {}
    cleaned: dict[str, Any] = clean_json(claims)
    return cleaned


def organization_roles(claims: dict[str, Any], organization_id: str) -> frozenset[str]:
    """Role names in one organization, from ``organization_roles: ["<organization id>:<role name>"]``.

    A role's name may hold a colon, so only the first one separates (Logto 1.42).
    """
    names = set()
    for entry in claims.get("organization_roles") or ():
        owner, separator, name = str(entry).partition(":")
        if separator and owner == organization_id:
            names.add(name)
    return frozenset(names)


def scopes_of(claims: dict[str, Any]) -> frozenset[str]:
    """The scopes of a token: none where the claim is empty (Logto 1.42) or absent (later releases)."""
    scope = claims.get("scope")
    return frozenset(scope.split()) if isinstance(scope, str) else frozenset()
