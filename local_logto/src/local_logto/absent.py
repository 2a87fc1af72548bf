"""Routes of Logto 1.42 that this provider does not implement, by family. They answer 501 with an explanation.

A 404 would look like a fact about Logto. The names are those of Logto's OpenAPI documents.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from quart import Quart, Response, request

from local_logto.errors import not_implemented
from local_logto.management.authentication import require_management_token

ABSENT: Final[dict[str, dict[str, str]]] = {
    "Account API beyond name and picture": {
        "/api/.well-known/account-center": "GET",
        "/api/.well-known/user.openapi.json": "GET",
        "/api/my-account/grants": "GET",
        "/api/my-account/grants/{grantId}": "DELETE",
        "/api/my-account/identities": "POST PUT",
        "/api/my-account/identities/{target}": "DELETE",
        "/api/my-account/identities/{target}/access-token": "GET PUT",
        "/api/my-account/logto-configs": "GET PATCH",
        "/api/my-account/mfa-settings": "GET PATCH",
        "/api/my-account/mfa-verifications": "GET POST",
        "/api/my-account/mfa-verifications/backup-codes": "GET",
        "/api/my-account/mfa-verifications/backup-codes/generate": "POST",
        "/api/my-account/mfa-verifications/totp": "PUT",
        "/api/my-account/mfa-verifications/totp-secret/generate": "POST",
        "/api/my-account/mfa-verifications/{verificationId}": "DELETE",
        "/api/my-account/mfa-verifications/{verificationId}/name": "PATCH",
        "/api/my-account/password": "POST",
        "/api/my-account/primary-email": "DELETE POST",
        "/api/my-account/primary-phone": "DELETE POST",
        "/api/my-account/profile": "PATCH",
        "/api/my-account/sessions": "GET",
        "/api/my-account/sessions/{sessionId}": "DELETE",
        "/api/my-account/sso-identities/{connectorId}/access-token": "GET",
        "/api/my-account/user-assets/avatar": "POST",
        "/api/verifications/password": "POST",
        "/api/verifications/social": "POST",
        "/api/verifications/social/verify": "POST",
        "/api/verifications/verification-code": "POST",
        "/api/verifications/verification-code/verify": "POST",
        "/api/verifications/web-authn/registration": "POST",
        "/api/verifications/web-authn/registration/verify": "POST",
    },
    "Passkeys, avatars and suggestions of a second factor at sign-in": {
        "/api/experience/preflight/sign-in-passkey/authentication": "POST",
        "/api/experience/profile/mfa/mfa-suggestion-skipped": "POST",
        "/api/experience/profile/mfa/passkey": "POST",
        "/api/experience/profile/mfa/passkey-skipped": "POST",
        "/api/experience/user-assets/avatar": "POST",
        "/api/experience/verification/sign-in-passkey/authentication": "POST",
        "/api/experience/verification/sign-in-passkey/authentication/verify": "POST",
        "/api/experience/verification/web-authn/authentication": "POST",
        "/api/experience/verification/web-authn/authentication/verify": "POST",
        "/api/experience/verification/web-authn/registration": "POST",
        "/api/experience/verification/web-authn/registration/verify": "POST",
    },
    "Third-party applications": {
        "/api/applications/{applicationId}/user-consent-scopes": "GET POST",
        "/api/applications/{applicationId}/user-consent-scopes/{scopeType}/{scopeId}": "DELETE",
        "/api/applications/{id}/users/{userId}/consent-organizations": "GET POST PUT",
        "/api/applications/{id}/users/{userId}/consent-organizations/{organizationId}": "DELETE",
    },
    "Custom token claims, sign-in actions, keys and other configuration": {
        "/api/configs/actions": "GET",
        "/api/configs/actions/test": "POST",
        "/api/configs/actions/{actionType}": "DELETE GET PATCH PUT",
        "/api/configs/admin-console": "GET PATCH",
        "/api/configs/jwt-customizer": "GET",
        "/api/configs/jwt-customizer/test": "POST",
        "/api/configs/jwt-customizer/{tokenTypePath}": "DELETE GET PATCH PUT",
        "/api/configs/oidc/session": "GET PATCH",
        "/api/configs/oidc/{keyType}": "GET",
        "/api/configs/oidc/{keyType}/rotate": "POST",
        "/api/configs/oidc/{keyType}/{keyId}": "DELETE",
    },
    "Audit logs, dashboard and system": {
        "/api/dashboard/users/active": "GET",
        "/api/dashboard/users/new": "GET",
        "/api/dashboard/users/total": "GET",
        "/api/hooks/{id}/recent-logs": "GET",
        "/api/logs": "GET",
        "/api/logs/{id}": "GET",
        "/api/sentinel-activities/delete": "POST",
        "/api/systems/application": "GET",
    },
    "Permissions and members of the tenant's roles": {
        "/api/organizations/{id}/applications/roles": "POST",
        "/api/roles/{id}": "PATCH",
        "/api/roles/{id}/applications": "GET POST",
        "/api/roles/{id}/applications/{applicationId}": "DELETE",
        "/api/roles/{id}/scopes": "GET POST",
        "/api/roles/{id}/scopes/{scopeId}": "DELETE",
        "/api/roles/{id}/users": "GET POST",
        "/api/roles/{id}/users/{userId}": "DELETE",
    },
    "Custom profile fields and phrases": {
        "/api/.well-known/phrases": "GET",
        "/api/custom-phrases": "GET",
        "/api/custom-phrases/{languageTag}": "DELETE GET PUT",
        "/api/custom-profile-fields": "GET POST",
        "/api/custom-profile-fields/batch": "POST",
        "/api/custom-profile-fields/properties/sie-order": "POST",
        "/api/custom-profile-fields/{name}": "DELETE GET PUT",
        "/api/users/{userId}/logto-configs": "GET PATCH",
    },
    "SAML and protected applications, own sign-in pages of an application, access control": {
        "/api/applications/{applicationId}/access-control": "GET PUT",
        "/api/applications/{applicationId}/custom-data": "PATCH",
        "/api/applications/{applicationId}/sign-in-experience": "GET PUT",
        "/api/applications/{id}/legacy-secret": "DELETE",
        "/api/applications/{id}/protected-app-metadata/custom-domains": "GET POST",
        "/api/applications/{id}/protected-app-metadata/custom-domains/{domain}": "DELETE",
        "/api/authn/hasura": "GET",
        "/api/authn/saml/{connectorId}": "POST",
        "/api/authn/single-sign-on/saml/{connectorId}": "POST",
        "/api/saml-applications": "POST",
        "/api/saml-applications/{id}": "DELETE GET PATCH",
        "/api/saml-applications/{id}/callback": "GET",
        "/api/saml-applications/{id}/metadata": "GET",
        "/api/saml-applications/{id}/secrets": "GET POST",
        "/api/saml-applications/{id}/secrets/{secretId}": "DELETE PATCH",
        "/api/saml/{id}/authn": "GET POST",
    },
    "Captcha, domains, uploads, secrets of connectors, password rules": {
        "/api/.well-known/experience": "GET",
        "/api/.well-known/experience.openapi.json": "GET",
        "/api/.well-known/management.openapi.json": "GET",
        "/api/captcha-provider": "DELETE GET PUT",
        "/api/connectors/{connectorId}/authorization-uri": "POST",
        "/api/domains": "GET POST",
        "/api/domains/cleanup": "POST",
        "/api/domains/{id}": "DELETE GET",
        "/api/domains/{id}/verification-files": "GET PUT",
        "/api/secrets/{id}": "DELETE",
        "/api/sign-in-exp/default/check-password": "POST",
        "/api/sign-in-exp/default/custom-ui-assets": "POST",
        "/api/swagger.json": "GET",
        "/api/user-assets": "POST",
        "/api/user-assets/service-status": "GET",
        "/api/users/{userId}/password/expiration": "PATCH",
    },
}

OPEN: Final = (  # these need no Management API token
    *("/api/.well-known/", "/api/experience/", "/api/my-account", "/api/verifications/"),
    *("/api/saml/", "/api/authn/"),
)


def register(app: Quart) -> None:
    """Add every absent route."""
    for family, routes in ABSENT.items():
        for path, methods in routes.items():
            app.add_url_rule(
                path.replace("{", "<").replace("}", ">"),
                endpoint=f"absent {path}",
                view_func=partial(_refuse, family),
                methods=methods.split(),
            )


async def _refuse(family: str, **_ids: str) -> Response:
    if not request.path.startswith(OPEN):
        require_management_token()
    raise not_implemented(family)
