"""Whose tokens a client presents to exchange them: that of the subject and that of the actor (RFC 8693 §2.1).

Every reason for a refusal is the same ``invalid_grant``, as in Logto.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Final

import sqlalchemy as sa

from local_logto.context import current_settings
from local_logto.crypto.signed_tokens import is_structured, verified_claims
from local_logto.errors import invalid_grant
from local_logto.oidc.claims import read_person
from local_logto.oidc.request_params import Params
from local_logto.oidc.token import opaque_tokens, subject_tokens
from local_logto.store import now_ms
from local_logto.tables import personal_access_tokens

_ACCESS_TOKEN_TYPE: Final = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 - the name of a type


def use_subject_token(connection: sa.Connection, params: Params) -> str:
    """Return the person of ``subject_token``, and consume it if it works only once.

    Raises ``invalid_grant`` for a token that is unknown, over or of another type, and for a deleted person.
    Being suspended is no reason.
    """
    find = _OWNERS.get(params.get("subject_token_type") or "")
    user_id = None if find is None else find(connection, params.get("subject_token") or "")
    if user_id is None or read_person(connection, user_id) is None:
        raise invalid_grant()
    return user_id


def find_actor(connection: sa.Connection, params: Params) -> str | None:
    """Return the person of ``actor_token``, or None without one.

    Raises ``invalid_grant`` unless it is an opaque access token with ``openid``.
    """
    value = params.get("actor_token")
    if value is None:
        return None
    token = opaque_tokens.find(connection, value, opaque_tokens.ACCESS_TOKEN)
    is_typed = params.get("actor_token_type") == _ACCESS_TOKEN_TYPE
    if not is_typed or token is None or token.is_expired or "openid" not in token.scopes:
        raise invalid_grant()
    return token.user_id


def _of_access_token(connection: sa.Connection, value: str) -> str | None:
    """Return the owner of an access token of any application, or of a subject token, which has this type
    too.
    """
    if value.startswith(subject_tokens.PREFIX):
        return subject_tokens.use(connection, value)
    if is_structured(value):
        return _of_jwt(connection, value)
    token = opaque_tokens.find(connection, value, opaque_tokens.ACCESS_TOKEN)
    return None if token is None or token.is_expired else token.user_id


def _of_jwt(connection: sa.Connection, value: str) -> str | None:
    # Logto 1.42 does not check what kind of JWT it is: an ID token is accepted too.
    claims = verified_claims(connection, value)
    if claims is None or claims.get("iss") != current_settings().issuer:
        return None
    return None if claims.get("exp", 0) <= time.time() else claims.get("sub")


def _of_personal_access_token(connection: sa.Connection, value: str) -> str | None:
    c = personal_access_tokens.c
    is_valid = sa.or_(c.expires_at.is_(None), c.expires_at > now_ms())
    return connection.execute(sa.select(c.user_id).where(c.value == value, is_valid)).scalar_one_or_none()


_OWNERS: Final[Mapping[str, Callable[[sa.Connection, str], str | None]]] = {
    _ACCESS_TOKEN_TYPE: _of_access_token,
    "urn:logto:token-type:impersonation_token": subject_tokens.use,
    "urn:logto:token-type:personal_access_token": _of_personal_access_token,
}
