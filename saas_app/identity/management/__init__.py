"""Logto's Management API, as far as we use it. What it answers arrives as frozen records.

Only calls live here. What is written with them belongs to :mod:`saas_app.identity.provisioning`, to
:mod:`saas_app.demo` and to the features.
"""

from saas_app.identity.management.client import ManagementClient, connect
from saas_app.identity.management.connectors import provider_answer
from saas_app.identity.management.explanations import explained
from saas_app.identity.management.records import (
    Application,
    ApplicationSecret,
    Connector,
    EmailTemplate,
    Hook,
    Invitation,
    LogtoUser,
    MachineInfo,
    MemberInfo,
    MembersPage,
    OrganizationInfo,
    OrganizationMembership,
    OrganizationRole,
    OrganizationScope,
    Resource,
    ResourceScope,
)
from saas_app.identity.management.transport import ManagementError
from saas_app.identity.management.user_sessions import BrowserSession, UserGrant

__all__ = [
    "Application",
    "ApplicationSecret",
    "BrowserSession",
    "Connector",
    "EmailTemplate",
    "Hook",
    "Invitation",
    "LogtoUser",
    "MachineInfo",
    "ManagementClient",
    "ManagementError",
    "MemberInfo",
    "MembersPage",
    "OrganizationInfo",
    "OrganizationMembership",
    "OrganizationRole",
    "OrganizationScope",
    "Resource",
    "ResourceScope",
    "UserGrant",
    "connect",
    "explained",
    "provider_answer",
]
