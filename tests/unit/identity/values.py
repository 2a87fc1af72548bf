"""Sessions, tokens and tenants as values, for tests of the decisions about them."""

from __future__ import annotations

from datetime import timedelta

from saas_app.db.base import new_uuid, utc_now
from saas_app.identity.bearer import BearerToken
from saas_app.identity.principal import SessionPrincipal
from saas_app.identity.session_access import CachedToken, Refusal, SessionAccess
from saas_app.identity.tenant import Tenant
from saas_app.rbac.permissions import ROLE_PERMISSIONS, Carrier, Permission, Role

RESOURCE = "https://api.workroom.example"
ORGANIZATION_AUDIENCE = "urn:logto:organization:acme"
API_AUDIENCE = f"{RESOURCE}#acme"

BEARER_TOKEN = BearerToken(
    fingerprint=b"1",
    subject="u1",
    client_id="cli",
    carrier=Carrier.API_TOKEN,
    organization_id="acme",
    scopes=frozenset({"projects:read"}),
    issued_at=1_000,
    expires_at=2_000,
)


def token(audience: str, scopes: str = "", *, age: float = 0, refusal: Refusal | None = None) -> CachedToken:
    """Return a token for an audience, fetched ``age`` seconds ago."""
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
    """Return Alice's session at Acme. ``round_trip``: purpose and age in seconds of the last one."""
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
    """Return Alice as a member of Acme. Her tokens grant ``granted``, by default everything in her role."""
    return Tenant(
        organization_id="acme",
        organization_name="Acme",
        principal=session.principal,
        role_names=frozenset({role.value}),
        granted=ROLE_PERMISSIONS[role] if granted is None else granted,
        carriers=frozenset(Carrier),
        read_at=utc_now(),
    )
