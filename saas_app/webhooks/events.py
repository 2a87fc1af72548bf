"""The events of Logto that Workroom listens to. :mod:`saas_app.webhooks.changes.deliveries` handles them."""

from __future__ import annotations

from enum import StrEnum

WEBHOOK_PATH = "/webhooks/logto"
BACKCHANNEL_LOGOUT_PATH = "/backchannel-logout"


class WebhookEvent(StrEnum):
    """The names of events in Logto 1.42. It sends no event for a change of a member's roles."""

    ORGANIZATION_CREATED = "Organization.Created"
    ORGANIZATION_DELETED = "Organization.Deleted"
    ORGANIZATION_DATA_UPDATED = "Organization.Data.Updated"
    ORGANIZATION_MEMBERSHIP_UPDATED = "Organization.Membership.Updated"
    USER_DELETED = "User.Deleted"
    USER_DATA_UPDATED = "User.Data.Updated"
    USER_SUSPENSION_STATUS_UPDATED = "User.SuspensionStatus.Updated"
    ORGANIZATION_ROLE_DELETED = "OrganizationRole.Deleted"
    ORGANIZATION_ROLE_DATA_UPDATED = "OrganizationRole.Data.Updated"
    ORGANIZATION_ROLE_SCOPES_UPDATED = "OrganizationRole.Scopes.Updated"
    ORGANIZATION_SCOPE_DELETED = "OrganizationScope.Deleted"
    ORGANIZATION_SCOPE_DATA_UPDATED = "OrganizationScope.Data.Updated"
