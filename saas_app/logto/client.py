"""The calls we make, one thin method each. Bodies, statuses and quirks are Logto 1.42's."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

import aiohttp

from saas_app.config import ManagementSettings
from saas_app.logto.connectors import ConnectorCalls
from saas_app.logto.hooks import HookCalls
from saas_app.logto.http import open_http
from saas_app.logto.invitations import InvitationCalls
from saas_app.logto.machine_clients import MachineClientCalls
from saas_app.logto.members import MemberCalls
from saas_app.logto.organization_settings import OrganizationSettingsCalls
from saas_app.logto.paths import segment as _id
from saas_app.logto.provider_clock import ProviderClock
from saas_app.logto.records import (
    Application,
    ApplicationSecret,
    IdTokenConfig,
    LogtoUser,
    OneTimeToken,
    OrganizationInfo,
    OrganizationMembership,
    OrganizationRole,
    OrganizationScope,
    Resource,
    ResourceScope,
)
from saas_app.logto.transport import ManagementError, ManagementTransport
from saas_app.logto.user_sessions import UserSessionCalls

TRADITIONAL: Final = "Traditional"
_COMMAND_TIMEOUT: Final = 8.0  # seconds a call of a command may take


class ManagementClient(
    MemberCalls,
    OrganizationSettingsCalls,
    HookCalls,
    InvitationCalls,
    ConnectorCalls,
    MachineClientCalls,
    UserSessionCalls,
):
    """Logto's Management API over a shared HTTP session.

    Every method may raise :class:`ManagementError` (Logto refused; ``status`` and ``code`` say why) and
    :class:`saas_app.errors.LogtoUnavailable` (it did not answer within ``timeout`` seconds, or failed).
    """

    def __init__(
        self, settings: ManagementSettings, http: aiohttp.ClientSession, *, timeout: float = 8
    ) -> None:
        self._transport = ManagementTransport(settings, http, timeout)

    @property
    def clock(self) -> ProviderClock:
        """Logto's clock, as its tokens told it."""
        return self._transport.clock

    async def close(self) -> None:
        """Let running attempts finish when the application stops."""
        await self._transport.close()

    # Organizations; their members are in :mod:`.members`

    async def create_organization(
        self, name: str, description: str | None = None, *, custom_data: Mapping[str, Any] | None = None
    ) -> OrganizationInfo:
        """Create an organization. Nobody is a member of it yet, its creator neither."""
        body: dict[str, Any] = {"name": name}
        if description:
            body["description"] = description
        if custom_data is not None:
            body["customData"] = dict(custom_data)
        return OrganizationInfo.read(await self._body("POST", "/organizations", body))

    async def get_organization(self, organization_id: str) -> OrganizationInfo:
        """An organization; 404 ``entity.not_exists_with_id`` when there is none."""
        return OrganizationInfo.read(await self._body("GET", f"/organizations/{_id(organization_id)}"))

    async def list_organizations(self) -> list[OrganizationInfo]:
        """Every organization, all pages of them: for seeding, not for a request."""
        return OrganizationInfo.read_all(await self._transport.list_all("/organizations"))

    async def delete_organization(self, organization_id: str) -> None:
        """Delete an organization with its memberships and invitations; 404 when there is none."""
        await self._transport.call("DELETE", f"/organizations/{_id(organization_id)}")

    async def list_user_organizations(self, user_id: str) -> list[OrganizationMembership]:
        """Every organization somebody belongs to, in one call."""
        body = await self._body("GET", f"/users/{_id(user_id)}/organizations")
        return OrganizationMembership.read_all(body)

    # People

    async def get_user(self, user_id: str) -> LogtoUser:
        """An account; 404 ``entity.not_found`` when there is none."""
        return LogtoUser.read(await self._body("GET", f"/users/{_id(user_id)}"))

    async def find_user_by_email(self, email: str) -> LogtoUser | None:
        """The account with this primary email address, compared without case."""
        return await self._find_user("primaryEmail", email)

    async def find_user_by_username(self, username: str) -> LogtoUser | None:
        """The account with this username."""
        return await self._find_user("username", username)

    async def create_user(
        self, *, username: str, email: str, name: str, password: str, phone: str = ""
    ) -> LogtoUser:
        """Create an account; 422 ``user.username_already_in_use``, ``user.email_…`` or ``user.phone_…``.

        ``phone`` is digits with the country code, without a plus.
        """
        body = {"username": username, "primaryEmail": email, "name": name, "password": password}
        if phone:
            body["primaryPhone"] = phone
        return LogtoUser.read(await self._body("POST", "/users", body))

    async def set_user_name(self, user_id: str, name: str) -> LogtoUser:
        """Give an account a name for display; 404 ``entity.not_found`` when there is none."""
        return LogtoUser.read(await self._body("PATCH", f"/users/{_id(user_id)}", {"name": name}))

    async def create_one_time_token(self, email: str, *, seconds: int) -> str:
        """Create a token that proves an email address once, to whoever opens Logto's pages with it.

        ``seconds`` is how long the token is valid.

        Logto 1.42 checks neither the address nor whether there is an account.
        """
        body = {"email": email, "expiresIn": seconds}
        created = await self._body("POST", "/one-time-tokens", body)
        return OneTimeToken.read(created).token

    async def set_user_phone(self, user_id: str, phone: str) -> LogtoUser:
        """Give an account its phone number; 422 ``user.phone_already_in_use``."""
        return LogtoUser.read(await self._body("PATCH", f"/users/{_id(user_id)}", {"primaryPhone": phone}))

    async def _find_user(self, field: str, value: str) -> LogtoUser | None:
        answer = await self._transport.call(
            "GET",
            "/users",
            query={f"search.{field}": value, f"mode.{field}": "exact", "page": 1, "page_size": 1},
        )
        return next(iter(LogtoUser.read_all(answer.body)), None)

    # The organization template

    async def list_organization_scopes(self) -> list[OrganizationScope]:
        """Every organization permission."""
        found = await self._transport.list_all("/organization-scopes")
        return OrganizationScope.read_all(found)

    async def create_organization_scope(self, name: str, description: str) -> OrganizationScope:
        """Add an organization permission."""
        body = {"name": name, "description": description}
        return OrganizationScope.read(await self._body("POST", "/organization-scopes", body))

    async def describe_organization_scope(self, scope_id: str, description: str) -> None:
        """Change what an organization permission says of itself."""
        await self._body("PATCH", f"/organization-scopes/{_id(scope_id)}", {"description": description})

    async def list_organization_roles(self) -> list[OrganizationRole]:
        """Every organization role with what it bundles. Only the list tells that (Logto 1.42)."""
        found = await self._transport.list_all("/organization-roles")
        return OrganizationRole.read_all(found)

    async def create_organization_role(self, name: str, description: str, type_: str) -> OrganizationRole:
        """Add a role that bundles nothing yet. ``type_`` is User or MachineToMachine, for good."""
        body = {"name": name, "description": description, "type": type_}
        return OrganizationRole.read(await self._body("POST", "/organization-roles", body))

    async def describe_organization_role(self, role_id: str, description: str) -> None:
        """Change what a role says of itself."""
        await self._body("PATCH", f"/organization-roles/{_id(role_id)}", {"description": description})

    async def replace_role_scopes(self, role_id: str, scope_ids: Iterable[str]) -> None:
        """Let a role bundle exactly these organization permissions."""
        body = {"organizationScopeIds": sorted(scope_ids)}
        await self._body("PUT", f"/organization-roles/{_id(role_id)}/scopes", body)

    async def replace_role_resource_scopes(self, role_id: str, scope_ids: Iterable[str]) -> None:
        """Let a role bundle exactly these API-resource scopes."""
        body = {"scopeIds": sorted(scope_ids)}
        await self._body("PUT", f"/organization-roles/{_id(role_id)}/resource-scopes", body)

    # API resources

    async def list_resources(self) -> list[Resource]:
        """Every API resource with its scopes."""
        found = await self._transport.list_all("/resources", {"includeScopes": "true"})
        return Resource.read_all(found)

    async def create_resource(self, name: str, indicator: str) -> Resource:
        """Add an API resource. Its indicator cannot be changed afterwards."""
        return Resource.read(await self._body("POST", "/resources", {"name": name, "indicator": indicator}))

    async def create_resource_scope(self, resource_id: str, name: str, description: str) -> ResourceScope:
        """Add a scope to an API resource."""
        body = {"name": name, "description": description}
        return ResourceScope.read(await self._body("POST", f"/resources/{_id(resource_id)}/scopes", body))

    async def describe_resource_scope(self, resource_id: str, scope_id: str, description: str) -> None:
        """Change what a scope says of itself."""
        path = f"/resources/{_id(resource_id)}/scopes/{_id(scope_id)}"
        await self._body("PATCH", path, {"description": description})

    # Applications and tenant configuration

    async def find_application(self, application_id: str) -> Application | None:
        """The application with this id."""
        try:
            return Application.read(await self._body("GET", f"/applications/{_id(application_id)}"))
        except ManagementError as refusal:
            if refusal.status == 404:
                return None
            raise

    async def list_traditional_applications(self) -> list[Application]:
        """Every traditional web application. Names are not unique."""
        found = await self._transport.list_all("/applications", {"types": TRADITIONAL})
        return Application.read_all(found)

    async def create_traditional_application(
        self, name: str, description: str, *, oidc_metadata: Mapping[str, Any], custom: Mapping[str, Any]
    ) -> Application:
        """Add a traditional web application. The reply holds no secret; see :meth:`list_secrets`."""
        body = {
            "name": name,
            "description": description,
            "type": TRADITIONAL,
            "oidcClientMetadata": dict(oidc_metadata),
            "customClientMetadata": dict(custom),
        }
        return Application.read(await self._body("POST", "/applications", body))

    async def replace_application_metadata(
        self, application_id: str, *, oidc_metadata: Mapping[str, Any], custom: Mapping[str, Any]
    ) -> None:
        """Replace both metadata objects whole: pass everything that shall remain."""
        body = {"oidcClientMetadata": dict(oidc_metadata), "customClientMetadata": dict(custom)}
        await self._body("PATCH", f"/applications/{_id(application_id)}", body)

    async def list_secrets(self, application_id: str) -> list[ApplicationSecret]:
        """An application's secrets, in plain text."""
        body = await self._body("GET", f"/applications/{_id(application_id)}/secrets")
        return ApplicationSecret.read_all(body)

    async def create_secret(self, application_id: str, name: str) -> ApplicationSecret:
        """Add a named secret; 422 ``application.secret_name_exists``."""
        path = f"/applications/{_id(application_id)}/secrets"
        return ApplicationSecret.read(await self._body("POST", path, {"name": name}))

    async def list_id_token_claims(self) -> list[str]:
        """The extended claims that ID tokens carry, for the whole tenant."""
        config = IdTokenConfig.read(await self._body("GET", "/configs/id-token") or {})
        return list(config.enabled_extended_claims)

    async def replace_id_token_claims(self, names: Iterable[str]) -> None:
        """Set the extended claims that ID tokens carry."""
        await self._body("PUT", "/configs/id-token", {"enabledExtendedClaims": list(names)})

    async def _body(self, method: str, path: str, body: Any = None) -> Any:
        return (await self._transport.call(method, path, body=body)).body


@asynccontextmanager
async def connect(
    settings: ManagementSettings, *, patience: float = _COMMAND_TIMEOUT
) -> AsyncIterator[ManagementClient]:
    """A client with a session of its own, for a command; the application shares one.

    ``patience`` is what a call may take, in seconds.
    """
    async with open_http(patience) as http:
        yield ManagementClient(settings, http, timeout=patience)
