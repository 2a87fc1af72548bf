"""What a tenant is granted: from fresh tokens of the right kind, and from nothing else."""

from __future__ import annotations

from datetime import timedelta

import pytest

from saas_app.db.base import new_uuid, utc_now
from saas_app.identity.freshness import Freshness, Reading
from saas_app.identity.principal import SessionPrincipal
from saas_app.identity.session_access import CachedToken, Refusal, SessionAccess
from saas_app.identity.tenant import Tenant
from saas_app.identity.tenants import as_tenant
from saas_app.rbac.permissions import Carrier, Permission

RESOURCE = "https://api.workroom.example"
ORGANIZATION_AUDIENCE = "urn:logto:organization:acme"
API_AUDIENCE = f"{RESOURCE}#acme"


def tenant_of(session: SessionAccess) -> Tenant:
    return as_tenant(Reading(session, "acme", Freshness(timedelta(seconds=300), RESOURCE)))


def token(audience: str, scopes: str, *, age: float = 0, refusal: Refusal | None = None) -> CachedToken:
    now = utc_now()
    return CachedToken(
        audience=audience,
        scopes=frozenset(scopes.split()),
        role_names=frozenset({"admin"}),
        refusal=refusal,
        fetched_at=now - timedelta(seconds=age),
        expires_at=now + timedelta(hours=1),
    )


def access(*tokens: CachedToken, changed_ago: float | None = None) -> SessionAccess:
    now = utc_now()
    return SessionAccess(
        principal=SessionPrincipal("u1", session_id=new_uuid(), name="Alice"),
        granted_at=now,
        authenticated_at=None,
        renewed_for=None,
        last_seen_at=now,
        last_organization_id=None,
        organization_name="Acme",
        membership_changed_at=None if changed_ago is None else now - timedelta(seconds=changed_ago),
        tokens={given.audience: given for given in tokens},
    )


def test_a_permission_counts_only_in_its_own_kind_of_token() -> None:
    tenant = tenant_of(
        access(
            token(ORGANIZATION_AUDIENCE, "members:read projects:delete"),
            token(API_AUDIENCE, "projects:read members:remove"),
        )
    )

    assert tenant.granted == {Permission.MEMBERS_READ, Permission.PROJECTS_READ}
    assert tenant.carriers == set(Carrier)


@pytest.mark.parametrize(
    ("stale", "changed_ago"),
    [
        (token(API_AUDIENCE, "projects:read", age=301), None),
        (token(API_AUDIENCE, "projects:read", age=9), 5.0),
    ],
    ids=["too old", "older than a change"],
)
def test_a_token_that_is_not_fresh_grants_nothing(stale: CachedToken, changed_ago: float | None) -> None:
    tenant = tenant_of(access(token(ORGANIZATION_AUDIENCE, "members:read"), stale, changed_ago=changed_ago))

    assert tenant.granted == {Permission.MEMBERS_READ}
    assert not tenant.may(Permission.PROJECTS_READ)
    assert tenant.offers(Permission.PROJECTS_READ)  # a link may be shown; the guard behind it asks anew


def test_a_refused_audience_grants_nothing() -> None:
    tenant = tenant_of(
        access(
            token(ORGANIZATION_AUDIENCE, "members:read"),
            token(API_AUDIENCE, "projects:read", refusal=Refusal.NOT_A_MEMBER),
        )
    )

    assert tenant.carriers == {Carrier.ORGANIZATION_TOKEN}
    assert not tenant.may(Permission.PROJECTS_READ)
