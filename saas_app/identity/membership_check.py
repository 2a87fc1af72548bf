"""Asks Logto whether a bearer token's claims are still true, when the token's time leaves that in doubt.

The Management API returns the current state, so no clocks are compared.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from saas_app.errors import LogtoUnavailable
from saas_app.logto import ManagementClient, ManagementError, OrganizationMembership
from saas_app.logto.explanations import explained
from saas_app.rbac.permissions import Carrier


@dataclass(frozen=True, slots=True)
class Claimed:
    """What a token claims about its holder. ``organization_id`` is None for a token of no organization."""

    subject: str
    is_machine: bool
    organization_id: str | None
    carrier: Carrier
    scopes: frozenset[str]


async def is_still_granted(management: ManagementClient, claimed: Claimed) -> bool:
    """Return whether Logto would grant what a token claims: account, second factor, membership and scopes.

    Raises :class:`LogtoUnavailable` if Logto does not respond or rejects the request.
    """
    try:
        if claimed.is_machine:
            memberships = await management.find_machine_organizations(claimed.subject)
        else:
            memberships = await _memberships_of_person(management, claimed)
        if memberships is None or claimed.organization_id is None:
            return memberships is not None
        roles = next(
            (item.role_names for item in memberships if item.organization_id == claimed.organization_id), None
        )
        return roles is not None and claimed.scopes <= await _scopes_of(management, roles, claimed.carrier)
    except ManagementError as refusal:
        error = explained(refusal)
        if isinstance(error, LogtoUnavailable):
            raise error from None
        raise LogtoUnavailable(error.detail, retry_after=error.retry_after or 5) from None


async def _memberships_of_person(
    management: ManagementClient, claimed: Claimed
) -> list[OrganizationMembership] | None:
    """Return a person's memberships, or None if the account is gone, suspended or lacks a second factor."""
    try:
        user, memberships = await asyncio.gather(
            management.get_user(claimed.subject), management.list_user_organizations(claimed.subject)
        )
    except ManagementError as refusal:
        if refusal.status == 404:
            return None
        raise
    if user.is_suspended:
        return None
    if claimed.organization_id not in {item.organization_id for item in memberships}:
        return memberships
    organization = await management.get_organization(claimed.organization_id or "")
    if organization.is_mfa_required and not await management.has_second_factor(claimed.subject):
        return None
    return memberships


async def _scopes_of(
    management: ManagementClient, role_names: frozenset[str], carrier: Carrier
) -> frozenset[str]:
    """Return what the roles grant now at Logto, including roles that the registry does not know."""
    roles = [role for role in await management.list_organization_roles() if role.name in role_names]
    if carrier is Carrier.ORGANIZATION_TOKEN:
        return frozenset[str]().union(*(role.scope_names for role in roles))
    return frozenset[str]().union(*(role.resource_scope_names for role in roles))
