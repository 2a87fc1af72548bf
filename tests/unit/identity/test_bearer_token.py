"""A bearer token as a credential: for one organization, with its own permissions, never renewed by us."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, cast

import pytest

from saas_app.db.base import utc_now
from saas_app.errors import (
    AssignmentDenied,
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
from tests.unit.identity.values import BEARER_TOKEN

TOKEN = replace(BEARER_TOKEN, scopes=frozenset({"projects:read", "members:read", "unknown:scope"}))


class Management:
    """A stand-in for the Management API, in which one person has these roles."""

    def __init__(self, role_names: frozenset[str] | None) -> None:
        self.role_names = role_names

    async def find_member_roles(self, organization_id: str, subject: str) -> frozenset[str] | None:
        return self.role_names if (organization_id, subject) == ("acme", "u1") else None


def caller(
    token: BearerToken = TOKEN, management: Management | None = None, ends: dict[str, datetime] | None = None
) -> TokenCaller:
    access = BearerAccess(
        Principal("u1", name="Alice"), "Acme", KnownChanges(version=3), False, role_ends=ends or {}
    )
    return TokenCaller(token, access, cast(Any, management), 600)


async def test_a_token_gives_access_to_the_organization_that_it_names() -> None:
    tenant = await caller().get_tenant("acme")
    assert (tenant.organization_id, tenant.organization_name) == ("acme", "Acme")
    assert tenant.membership_version == 3


async def test_a_token_gives_no_access_to_another_organization() -> None:
    with pytest.raises(NotFound):
        await caller().get_tenant("globex")


async def test_a_token_without_an_organization_is_invalid() -> None:
    with pytest.raises(InvalidToken, match="organization_id"):
        await caller(replace(TOKEN, organization_id=None)).get_tenant("acme")


@pytest.mark.parametrize(
    ("carrier", "granted"),
    [(Carrier.API_TOKEN, Permission.PROJECTS_READ), (Carrier.ORGANIZATION_TOKEN, Permission.MEMBERS_READ)],
)
async def test_a_token_grants_only_permissions_of_its_own_carrier(
    carrier: Carrier, granted: Permission
) -> None:
    tenant = await caller(replace(TOKEN, carrier=carrier)).get_tenant("acme", tuple(Carrier))
    assert tenant.granted == {granted}
    assert tenant.carriers == {carrier}


async def test_a_token_does_not_reveal_roles() -> None:
    tenant = await caller().get_tenant("acme")
    assert tenant.facts.role_names is None


async def test_a_permission_that_the_token_lacks_is_denied_without_renewal() -> None:
    tenant = await caller().get_tenant("acme")
    decision = decide(tenant.facts, Permission.PROJECTS_WRITE)
    assert isinstance(caller().denial(tenant, decision), PermissionDenied)


async def test_a_token_never_counts_as_a_fresh_sign_in() -> None:
    tenant = await caller().get_tenant("acme")
    with pytest.raises(FreshSignInRequired):
        caller().require_fresh_sign_in(tenant)


async def test_the_complete_permissions_of_the_holder_are_read_from_logto() -> None:
    holder = caller(management=Management(frozenset({Role.EDITOR.value})))
    tenant = await holder.complete(await holder.get_tenant("acme"))
    assert tenant.granted == ROLE_PERMISSIONS[Role.EDITOR]


async def test_a_former_member_holds_only_the_permissions_of_the_token() -> None:
    holder = caller(management=Management(None))
    tenant = await holder.complete(await holder.get_tenant("acme"))
    assert tenant.granted == {Permission.PROJECTS_READ}


async def test_the_complete_permissions_of_the_holder_leave_out_a_role_that_has_ended() -> None:
    at_logto = Management(frozenset({Role.ADMIN.value, Role.VIEWER.value}))
    holder = caller(management=at_logto, ends={Role.ADMIN.value: utc_now()})

    tenant = await holder.complete(await holder.get_tenant("acme"))

    assert tenant.role_names == {Role.VIEWER.value}
    assert tenant.granted == ROLE_PERMISSIONS[Role.VIEWER]


async def test_the_holder_of_a_token_assigns_roles_until_their_own_role_ends() -> None:
    ends_at = utc_now() + timedelta(hours=1)
    holder = caller(management=Management(frozenset({Role.ADMIN.value})), ends={Role.ADMIN.value: ends_at})
    tenant = await holder.complete(await holder.get_tenant("acme"))

    tenant.require_assignable([Role.EDITOR.value], ends_at)
    for until in (None, ends_at + timedelta(seconds=1)):
        with pytest.raises(AssignmentDenied):
            tenant.require_assignable([Role.EDITOR.value], until)


@pytest.mark.parametrize(
    ("held", "granted"),
    [
        ({Role.EDITOR, Role.VIEWER}, {Permission.PROJECTS_READ}),
        ({Role.EDITOR}, set()),
        (None, set()),
    ],
)
async def test_after_the_end_of_a_role_logto_is_asked_for_the_others(
    held: set[str] | None, granted: set[Permission]
) -> None:
    at_logto = Management(None if held is None else frozenset(held))

    tenant = await caller(management=at_logto, ends={Role.EDITOR.value: utc_now()}).get_tenant("acme")

    assert tenant.granted == granted


async def test_without_the_management_api_an_ended_role_takes_away_all_that_it_grants() -> None:
    tenant = await caller(ends={Role.EDITOR.value: utc_now()}).get_tenant("acme")

    assert tenant.granted == set()
    assert tenant.ended_roles == {Role.EDITOR.value}


async def test_complete_permissions_need_the_management_api() -> None:
    with pytest.raises(ManagementNotSetUp):
        await caller().complete(await caller().get_tenant("acme"))
