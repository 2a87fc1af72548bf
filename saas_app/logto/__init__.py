"""Logto's Management API, as far as we use it. What it answers arrives as frozen records.

Only calls live here. What is written with them belongs to :mod:`saas_app.operations.provisioning`, to
:mod:`saas_app.demo` and to the features.
"""

from saas_app.logto.client import ManagementClient, connect
from saas_app.logto.connectors import provider_answer
from saas_app.logto.explanations import explained, explaining
from saas_app.logto.records import (
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
from saas_app.logto.transport import ManagementError
from saas_app.logto.user_sessions import BrowserSession, UserGrant

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
    "explaining",
    "provider_answer",
]
