"""The part of Logto's Management API that we use. Responses are returned as frozen records.

This package only makes calls. :mod:`saas_app.operations.provisioning`, :mod:`saas_app.demo` and the features
decide what to write.
"""

from saas_app.logto.client import ManagementClient, connect
from saas_app.logto.connectors import provider_answer
from saas_app.logto.explanations import explained, explaining
from saas_app.logto.records import (
    AccountCenter,
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
    SsoIdentity,
)
from saas_app.logto.responses import ManagementError, ignore_missing
from saas_app.logto.sso_connectors import SsoConnector
from saas_app.logto.user_sessions import BrowserSession, SsoSubmission, UserGrant

__all__ = [
    "AccountCenter",
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
    "SsoConnector",
    "SsoIdentity",
    "SsoSubmission",
    "UserGrant",
    "connect",
    "explained",
    "explaining",
    "ignore_missing",
    "provider_answer",
]
