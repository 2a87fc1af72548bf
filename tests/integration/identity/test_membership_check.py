"""What Logto still grants to the holder of a bearer token, when the token's time leaves that in doubt."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from saas_app.config import Settings
from saas_app.errors import LogtoUnavailable
from saas_app.identity.membership_check import Claimed, is_still_granted
from saas_app.logto import ManagementClient
from saas_app.logto.client import connect
from saas_app.rbac.permissions import ROLE_PERMISSIONS, Carrier, Role
from tests.factories import Factory
from tests.integration.faulty_logto import DOWN, Fault, Gate

pytestmark = pytest.mark.one_database


def scopes_in(carrier: Carrier, role: Role) -> frozenset[str]:
    """Return the scopes that a role puts into one kind of token."""
    return frozenset(item.value for item in ROLE_PERMISSIONS[role] if item.carrier is carrier)


@pytest.fixture(params=list(Carrier))
async def claimed(make: Factory, request: pytest.FixtureRequest) -> Claimed:
    """The true claims of an admin's token, of either kind."""
    admin = await make.person()
    organization_id = await make.organization("Acme", admin=admin)
    carrier: Carrier = request.param
    return Claimed(admin.id, False, organization_id, carrier, scopes_in(carrier, Role.ADMIN))


@pytest.fixture
async def failing_management(gate: Gate, settings: Settings) -> AsyncIterator[ManagementClient]:
    """A Management API that fails in the ways that a test sets on ``gate``."""
    assert settings.management is not None
    async with connect(settings.management.model_copy(update={"endpoint": gate.url})) as client:
        yield client


async def test_true_claims_are_still_granted(management: ManagementClient, claimed: Claimed) -> None:
    assert await is_still_granted(management, claimed)


async def test_a_scope_that_the_role_no_longer_has_is_not_granted(
    management: ManagementClient, make: Factory, claimed: Claimed
) -> None:
    viewer = await make.member(claimed.organization_id or "", "Vera", Role.VIEWER)
    assert not await is_still_granted(management, replace(claimed, subject=viewer.id))


async def test_nothing_is_granted_to_somebody_who_is_no_member(
    management: ManagementClient, make: Factory, claimed: Claimed
) -> None:
    stranger = await make.person()
    assert not await is_still_granted(management, replace(claimed, subject=stranger.id))


async def test_nothing_is_granted_to_a_deleted_account(
    management: ManagementClient, claimed: Claimed
) -> None:
    await management._transport.call("DELETE", f"/users/{claimed.subject}")
    assert not await is_still_granted(management, claimed)


async def test_nothing_is_granted_to_a_suspended_account(
    management: ManagementClient, claimed: Claimed
) -> None:
    path = f"/users/{claimed.subject}/is-suspended"
    await management._transport.call("PATCH", path, body={"isSuspended": True})
    assert not await is_still_granted(management, claimed)


async def test_nothing_is_granted_without_the_second_factor_that_the_organization_requires(
    management: ManagementClient, claimed: Claimed
) -> None:
    await management.update_organization(claimed.organization_id or "", is_mfa_required=True)
    assert not await is_still_granted(management, claimed)


@pytest.mark.parametrize("fault", [Fault("GET", "/users/", **DOWN), Fault("GET", "/users/", status=403)])
async def test_if_logto_does_not_say_nothing_is_decided(
    gate: Gate, failing_management: ManagementClient, claimed: Claimed, fault: Fault
) -> None:
    gate.fail(fault)
    with pytest.raises(LogtoUnavailable):
        await is_still_granted(failing_management, claimed)
