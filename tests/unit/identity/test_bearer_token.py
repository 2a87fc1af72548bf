"""A bearer token as a credential: for one organization, with its own permissions, never renewed from here."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest

from saas_app.errors import (
    FreshSignInRequired,
    InvalidToken,
    ManagementNotSetUp,
    NotFound,
    PermissionDenied,
)
from saas_app.identity.bearer import BearerToken
from saas_app.identity.bearer_access import BearerAccess
from saas_app.identity.credentials.bearer_token import TokenCaller
from saas_app.identity.membership_changes import KnownChanges
from saas_app.identity.principal import Principal
from saas_app.rbac.permissions import ROLE_PERMISSIONS, Carrier, Permission, Role
from saas_app.rbac.policy import decide

TOKEN = BearerToken(
    fingerprint=b"1",
    subject="u1",
    client_id="cli",
    carrier=Carrier.API_TOKEN,
    organization_id="acme",
    scopes=frozenset({"projects:read", "members:read", "unknown:scope"}),
    issued_at=1,
    expires_at=2,
)


class Management:
    """Logto's Management API, where one person holds these roles."""

    def __init__(self, role_names: frozenset[str] | None) -> None:
        self.role_names = role_names

    async def find_member_roles(self, organization_id: str, subject: str) -> frozenset[str] | None:
        return self.role_names if (organization_id, subject) == ("acme", "u1") else None


def caller(token: BearerToken = TOKEN, management: Management | None = None) -> TokenCaller:
    access = BearerAccess(Principal("u1", name="Alice"), "Acme", KnownChanges(version=3), False)
    return TokenCaller(token, access, cast(Any, management), 600)


async def test_the_token_opens_the_organization_that_it_names() -> None:
    tenant = await caller().get_tenant("acme")
    assert (tenant.organization_id, tenant.organization_name) == ("acme", "Acme")
    assert tenant.membership_version == 3


async def test_it_opens_no_other_organization() -> None:
    with pytest.raises(NotFound):
        await caller().get_tenant("globex")


async def test_one_that_names_none_opens_none() -> None:
    with pytest.raises(InvalidToken, match="organization_id"):
        await caller(replace(TOKEN, organization_id=None)).get_tenant("acme")


@pytest.mark.parametrize(
    ("carrier", "granted"),
    [(Carrier.API_TOKEN, Permission.PROJECTS_READ), (Carrier.ORGANIZATION_TOKEN, Permission.MEMBERS_READ)],
)
async def test_it_grants_only_permissions_of_its_own_kind(carrier: Carrier, granted: Permission) -> None:
    tenant = await caller(replace(TOKEN, carrier=carrier)).get_tenant("acme", tuple(Carrier))
    assert tenant.granted == {granted}
    assert tenant.carriers == {carrier}


async def test_it_tells_no_roles() -> None:
    tenant = await caller().get_tenant("acme")
    assert tenant.facts.role_names is None


async def test_what_it_does_not_grant_is_denied_for_good() -> None:
    tenant = await caller().get_tenant("acme")
    decision = decide(tenant.facts, Permission.PROJECTS_WRITE)
    assert isinstance(caller().denial(tenant, decision), PermissionDenied)


async def test_it_never_counts_as_a_fresh_sign_in() -> None:
    tenant = await caller().get_tenant("acme")
    with pytest.raises(FreshSignInRequired):
        caller().require_fresh_sign_in(tenant)


async def test_all_that_the_holder_holds_is_asked_of_logto() -> None:
    asked = caller(management=Management(frozenset({Role.EDITOR.value})))
    tenant = await asked.complete(await asked.get_tenant("acme"))
    assert tenant.granted == ROLE_PERMISSIONS[Role.EDITOR]


async def test_a_holder_who_is_no_member_any_more_holds_what_the_token_says_and_no_more() -> None:
    asked = caller(management=Management(None))
    tenant = await asked.complete(await asked.get_tenant("acme"))
    assert tenant.granted == {Permission.PROJECTS_READ}


async def test_without_the_management_api_nobody_can_be_asked() -> None:
    with pytest.raises(ManagementNotSetUp):
        await caller().complete(await caller().get_tenant("acme"))
