"""The claims of tokens: checks their types, and reads them again later.

A signature proves who wrote a claim, not that its value makes sense: Logto lets an operator add custom
claims. A token is rejected if a claim that we rely on has the wrong type. Texts are cleaned of characters
that a database cannot store.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from typing import Annotated, Any, Final, TypeAlias

import jwt
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from saas_app.text.cleaning import clean_json
from saas_app.text.ids import ID_PATTERN

ORGANIZATION_AUDIENCE: Final = "urn:logto:organization:"
"""The prefix of an organization token's audience. The organization's id follows (Logto 1.42)."""

Id: TypeAlias = Annotated[str, StringConstraints(pattern=rf"^{ID_PATTERN}\z")]
"""The id of a person, machine or organization at Logto (1.42)."""

_IDS: Final[TypeAdapter[str]] = TypeAdapter(Id)
_Second: TypeAlias = Annotated[float, Field(ge=0, le=253_402_300_799)]  # until the end of the year 9999


class InvalidClaim(ValueError):
    """A claim of the wrong type. The message names the claim and never contains its value."""


class _ReliedOn(BaseModel):
    """The claims that decisions rely on. :mod:`.directory` cleans the others, which are only shown."""

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
    """Check the claims that we rely on, and return all claims with their texts cleaned.

    Raises :class:`InvalidClaim`.
    """
    try:
        _ReliedOn.model_validate(claims)
    except ValidationError as error:
        where = error.errors(include_input=False, include_url=False)[0]["loc"]
        raise InvalidClaim(f"claim {where[0]} is invalid") from None
    cleaned: dict[str, Any] = clean_json(claims)
    return cleaned


def is_id(value: object) -> bool:
    """Return whether the value has the form of an id at Logto."""
    try:
        _IDS.validate_python(value, strict=True)
    except ValidationError:
        return False
    return True


def decode_unverified(token: str) -> dict[str, Any]:
    """Return the claims of a token without verifying it: empty if it is not a JWT.

    Only for display, and for tokens whose signature is checked next.
    """
    try:
        claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    except (jwt.InvalidTokenError, ValueError, RecursionError):
        return {}
    cleaned: dict[str, Any] = clean_json(claims)
    return cleaned


def decode_header(token: str) -> dict[str, Any]:
    """Return the header of a token without verifying it, for display: empty if it is not a JWT."""
    try:
        header: dict[str, Any] = jwt.get_unverified_header(token)
    except (jwt.InvalidTokenError, ValueError, RecursionError):
        return {}
    cleaned: dict[str, Any] = clean_json(header)
    return cleaned


def decode_stored(token: str) -> dict[str, Any]:
    """Return the claims of a JWT that was verified when it was fetched: empty for "".

    Nothing is checked again. An ID token names all of a person's organizations, so checks take longer than
    reading it.
    """
    if not token:
        return {}
    payload = token.split(".")[1]
    claims: dict[str, Any] = clean_json(json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4))))
    return claims


def organization_roles(claims: dict[str, Any]) -> dict[str, frozenset[str]]:
    """Return the role names by organization, from ``["<organization id>:<role name>"]`` (Logto 1.42).

    Only the first colon separates, because a role's name may contain colons. Organizations without a role are
    missing.
    """
    names: dict[str, set[str]] = {}
    for entry in claims.get("organization_roles") or ():
        owner, separator, name = str(entry).partition(":")
        if separator:
            names.setdefault(owner, set()).add(name)
    return {owner: frozenset(found) for owner, found in names.items()}


def scopes_of(claims: dict[str, Any]) -> frozenset[str]:
    """Return the scopes of a token. The claim may be empty (Logto 1.42) or missing (later releases)."""
    scope = claims.get("scope")
    return frozenset(scope.split()) if isinstance(scope, str) else frozenset()
