"""The kinds of enterprise providers that Logto 1.42 knows. This provider can use the first one."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Final, Literal

OIDC: Final = "OIDC"
LOGO: Final = (
    "data:image/svg+xml;base64,"
    + base64.b64encode(
        b'<svg xmlns="http://www.w3.org/2000/svg" width="24" height="24"><rect width="24" height="24"/></svg>'
    ).decode()
)


@dataclass(frozen=True)
class SsoProviderKind:
    """One kind of provider. ``id`` is its name in the API."""

    id: str
    protocol: Literal["oidc", "saml"]
    name: str
    description: str


SSO_PROVIDERS: Final = (
    SsoProviderKind(
        OIDC,
        "oidc",
        "OIDC",
        "Modern protocol built on OAuth 2.0 for identity verification in web and mobile apps.",
    ),
    SsoProviderKind(
        "SAML",
        "saml",
        "SAML",
        "XML-based open standard for web single sign-on and identity federation.",
    ),
    SsoProviderKind(
        "AzureAD",
        "saml",
        "Microsoft Entra ID (SAML)",
        "Formerly Azure AD, a comprehensive cloud-based identity management service.",
    ),
    SsoProviderKind(
        "AzureAdOidc",
        "oidc",
        "Microsoft Entra ID (OIDC)",
        "OpenID Connect on the Microsoft identity platform. Formerly known as Azure AD OIDC.",
    ),
    SsoProviderKind(
        "GoogleWorkspace",
        "oidc",
        "Google Workspace",
        "Unified and secure management of user access within the Google ecosystem.",
    ),
    SsoProviderKind(
        "Okta",
        "oidc",
        "Okta",
        "Centralizes identity management for customers, employees, and partners.",
    ),
)
