"""A tenant's permissions come from fresh tokens of the right carrier, and from nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest

from saas_app.db.base import utc_now
from saas_app.errors import AppError, LogtoUnavailable, MfaRequired, NotFound
from saas_app.identity.freshness import Freshness, Reading
from saas_app.identity.renewal import RenewalRequired
from saas_app.identity.session_access import CachedToken, Refusal, SessionAccess
from saas_app.identity.tenant import Tenant
from saas_app.identity.tenants import Tenants, as_tenant, find_stale
from saas_app.rbac.permissions import Carrier, Permission
from tests.unit.identity.values import API_AUDIENCE, ORGANIZATION_AUDIENCE, RESOURCE, access, token

FRESHNESS = Freshness(timedelta(seconds=300), RESOURCE)
BOTH = tuple(Carrier)


def reading(session: SessionAccess, *read_now: Carrier) -> Reading:
    return Reading(session, "acme", FRESHNESS, frozenset(read_now))


def tenant_of(session: SessionAccess) -> Tenant:
    return as_tenant(reading(session))


def test_a_permission_counts_only_in_a_token_of_its_carrier() -> None:
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
    assert tenant.offers(Permission.PROJECTS_READ)  # a link may be shown; its guard decides


def test_a_refused_audience_grants_nothing() -> None:
    tenant = tenant_of(
        access(
            token(ORGANIZATION_AUDIENCE, "members:read"),
            token(API_AUDIENCE, "projects:read", refusal=Refusal.NOT_A_MEMBER),
        )
    )

    assert tenant.carriers == {Carrier.ORGANIZATION_TOKEN}
    assert not tenant.may(Permission.PROJECTS_READ)


@pytest.mark.parametrize(
    ("sign_in", "carriers", "stale"),
    [
        (lambda: access(), (), Carrier.ORGANIZATION_TOKEN),
        (lambda: access(token(API_AUDIENCE)), (), None),
        (lambda: access(token(API_AUDIENCE)), (Carrier.API_TOKEN,), None),
        (lambda: access(token(API_AUDIENCE)), BOTH, Carrier.ORGANIZATION_TOKEN),
        (lambda: access(token(API_AUDIENCE, age=301)), (Carrier.API_TOKEN,), Carrier.API_TOKEN),
        (lambda: access(token(API_AUDIENCE), is_changing=True), (Carrier.API_TOKEN,), Carrier.API_TOKEN),
        (lambda: access(token(API_AUDIENCE, age=9), changed_ago=5), (Carrier.API_TOKEN,), Carrier.API_TOKEN),
    ],
    ids=["none", "any", "its own", "one of two", "too old", "changing", "changed"],
)
def test_a_missing_or_stale_token_is_fetched(
    sign_in: Callable[[], SessionAccess], carriers: tuple[Carrier, ...], stale: Carrier | None
) -> None:
    session = sign_in()  # now, not when the tests were collected

    assert find_stale(reading(session), carriers) is stale


def test_a_token_fetched_for_this_request_is_used_while_a_change_is_pending() -> None:
    session = access(token(API_AUDIENCE), is_changing=True)
    assert find_stale(reading(session, Carrier.API_TOKEN), (Carrier.API_TOKEN,)) is None


def test_a_token_fetched_for_this_request_is_stale_after_another_change() -> None:
    session = access(token(API_AUDIENCE, age=2), changed_ago=1)
    assert find_stale(reading(session, Carrier.API_TOKEN), (Carrier.API_TOKEN,)) is Carrier.API_TOKEN


@pytest.mark.parametrize(
    ("refusal", "error"),
    [(Refusal.NOT_A_MEMBER, NotFound), (Refusal.NEEDS_MFA, MfaRequired)],
)
def test_a_refusal_by_logto_becomes_an_error_for_the_caller(refusal: Refusal, error: type[AppError]) -> None:
    with pytest.raises(error):
        find_stale(reading(access(token(ORGANIZATION_AUDIENCE, refusal=refusal))), ())


def test_a_grant_that_covers_too_little_is_renewed() -> None:
    session = access(token(API_AUDIENCE, refusal=Refusal.NEEDS_CONSENT))
    with pytest.raises(RenewalRequired) as required:
        find_stale(reading(session), (Carrier.API_TOKEN,))
    assert required.value.purpose == "acme consent"


@pytest.mark.parametrize(
    ("refusal", "age", "answers"),
    [
        (Refusal.NOT_A_MEMBER, 14, True),
        (Refusal.NOT_A_MEMBER, 16, False),
        (Refusal.NEEDS_MFA, 0.5, True),
        (Refusal.NEEDS_MFA, 1.5, False),
    ],
)
def test_a_refusal_is_cached_only_briefly(refusal: Refusal, age: float, answers: bool) -> None:
    session = access(token(ORGANIZATION_AUDIENCE, refusal=refusal, age=age))
    assert (reading(session).find_usable(Carrier.ORGANIZATION_TOKEN) is not None) is answers


async def test_a_membership_that_keeps_changing_is_reported_as_unavailable() -> None:
    session = access()

    class Refresher:
        fetched = 0

        async def refresh(self, *_of: Any, patience: float) -> SessionAccess:
            self.fetched += 1
            return session

    refresher, nothing = Refresher(), cast(Any, None)
    tenants = Tenants(nothing, nothing, cast(Any, refresher), FRESHNESS, patience=5)
    with pytest.raises(LogtoUnavailable, match="being updated"):
        await tenants.get_tenant(session, "acme", (Carrier.API_TOKEN,))
    assert refresher.fetched == 10


@pytest.mark.parametrize(
    ("session", "reason"),
    [
        (access(), "absent"),
        (access(token(API_AUDIENCE, age=301)), "age"),
        (access(token(API_AUDIENCE, age=9), changed_ago=5.0), "changed"),
        (access(token(API_AUDIENCE), is_changing=True), "change in progress"),
    ],
    ids=["absent", "age", "changed", "changing"],
)
def test_a_token_that_is_not_fresh_has_a_reason(session: SessionAccess, reason: str) -> None:
    assert not FRESHNESS.is_fresh(session, API_AUDIENCE)
    assert FRESHNESS.why_stale(session, API_AUDIENCE) == reason


def test_tokens_grant_nothing_that_only_an_ended_role_grants() -> None:
    scopes = "members:read members:update"
    now = utc_now()
    named = replace(token(ORGANIZATION_AUDIENCE, scopes), role_names=frozenset({"admin", "viewer"}))
    session = replace(access(named), role_ends={"admin": now, "viewer": now + timedelta(hours=1)})

    tenant = tenant_of(session)

    assert tenant.granted == {Permission.MEMBERS_READ}
    assert tenant.role_names == {"viewer"}
    assert (tenant.ended_roles, set(tenant.role_ends)) == ({"admin"}, {"viewer"})
    assert not tenant.offers(Permission.MEMBERS_UPDATE)
