"""Sessions, tokens and tenants as values, for tests of what is decided on them."""

from __future__ import annotations

from datetime import timedelta

from saas_app.db.base import new_uuid, utc_now
from saas_app.identity.principal import SessionPrincipal
from saas_app.identity.session_access import CachedToken, Refusal, SessionAccess
from saas_app.identity.tenant import Tenant
from saas_app.rbac.permissions import ROLE_PERMISSIONS, Carrier, Permission, Role

RESOURCE = "https://api.workroom.example"
ORGANIZATION_AUDIENCE = "urn:logto:organization:acme"
API_AUDIENCE = f"{RESOURCE}#acme"


def token(audience: str, scopes: str = "", *, age: float = 0, refusal: Refusal | None = None) -> CachedToken:
    """A token for an audience, fetched ``age`` seconds ago."""
    now = utc_now()
    return CachedToken(
        audience=audience,
        scopes=frozenset(scopes.split()),
        role_names=frozenset({"admin"}),
        refusal=refusal,
        fetched_at=now - timedelta(seconds=age),
        expires_at=now + timedelta(hours=1),
    )


def access(
    *tokens: CachedToken,
    changed_ago: float | None = None,
    signed_in_ago: float | None = None,
    round_trip: tuple[str, float] = ("", 3600),
    is_changing: bool = False,
) -> SessionAccess:
    """Alice's session at Acme. ``round_trip`` is the purpose of the last one, and how long ago it was."""
    now, (purpose, trip_ago) = utc_now(), round_trip
    return SessionAccess(
        principal=SessionPrincipal("u1", session_id=new_uuid(), name="Alice"),
        granted_at=now - timedelta(seconds=trip_ago),
        authenticated_at=None if signed_in_ago is None else now - timedelta(seconds=signed_in_ago),
        renewed_for=purpose or None,
        last_seen_at=now,
        last_organization_id=None,
        organization_name="Acme",
        membership_changed_at=None if changed_ago is None else now - timedelta(seconds=changed_ago),
        tokens={given.audience: given for given in tokens},
        is_membership_changing=is_changing,
    )


def tenant(session: SessionAccess, role: Role, granted: frozenset[Permission] | None = None) -> Tenant:
    """Alice at Acme with a role, and what her tokens grant: all of it unless told."""
    return Tenant(
        organization_id="acme",
        organization_name="Acme",
        principal=session.principal,
        role_names=frozenset({role.value}),
        granted=ROLE_PERMISSIONS[role] if granted is None else granted,
        carriers=frozenset(Carrier),
        read_at=utc_now(),
    )
