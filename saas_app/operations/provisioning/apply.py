"""Carries out a plan. Only what differs is written, each change once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from saas_app.logto import ManagementClient
from saas_app.operations.provisioning.changes import Action, Change, Kind, drift
from saas_app.operations.provisioning.declared import (
    ACCOUNT_FIELDS,
    APPLICATION_DESCRIPTION,
    APPLICATION_NAME,
    EDITABLE,
    ID_TOKEN_CLAIMS,
    RESOURCE_NAME,
    SECRET_NAME,
    SINGLE_SIGN_ON_KEY,
    WEBHOOK_EVENTS,
    WEBHOOK_NAME,
    Deployment,
    role_permissions,
)
from saas_app.operations.provisioning.found import Found
from saas_app.operations.provisioning.plan import merged_metadata
from saas_app.operations.provisioning.sign_in_apply import apply_sign_in
from saas_app.rbac.permissions import Carrier, Permission, Role

_PERMISSIONS = {permission.value: permission for permission in Permission}
_ROLES = {role.value: role for role in Role}


@dataclass(frozen=True, slots=True)
class ProvisionedApplication:
    """The application in Logto, with the secrets that Workroom needs to run."""

    app_id: str
    app_secret: str = field(repr=False)
    webhook_signing_key: str = field(repr=False)


async def apply(
    client: ManagementClient, deployment: Deployment, found: Found, changes: Iterable[Change]
) -> ProvisionedApplication:
    """Write the changes of a plan in order, and return the application."""
    different = drift(changes)
    application = await _Run(client, deployment, found).carry_out(different)
    if deployment.sign_in_methods:
        await apply_sign_in(client, deployment.sign_in_methods, found, different)
    return application


class _Run:
    """One run, with the IDs known so far: of what was found, then of what was created."""

    def __init__(self, client: ManagementClient, deployment: Deployment, found: Found) -> None:
        self._client = client
        self._deployment = deployment
        self._found = found
        self._organization_scope_ids = {name: scope.id for name, scope in found.organization_scopes.items()}
        resource = found.find_resource(deployment.api_resource)
        self._resource_id = resource.id if resource else ""
        self._api_scope_ids = {scope.name: scope.id for scope in resource.scopes} if resource else {}
        self._app_id = found.application.id if found.application else ""
        self._signing_key = found.webhook.signing_key if found.webhook else ""

    async def carry_out(self, changes: Iterable[Change]) -> ProvisionedApplication:
        writers = {
            Kind.ORGANIZATION_SCOPE: self._write_organization_scope,
            Kind.RESOURCE: self._write_resource,
            Kind.RESOURCE_SCOPE: self._write_api_scope,
            Kind.ROLE: self._write_role,
            Kind.APPLICATION: self._write_application,
            Kind.ID_TOKEN: self._write_id_token_claims,
            Kind.ACCOUNT_CENTER: self._write_account_center,
            Kind.WEBHOOK: self._write_webhook,
            Kind.SINGLE_SIGN_ON: self._write_single_sign_on,
        }
        for change in changes:
            if change.kind in writers:
                await writers[change.kind](change)
        return ProvisionedApplication(self._app_id, await self._usable_secret(), self._signing_key)

    async def _write_organization_scope(self, change: Change) -> None:
        description = _PERMISSIONS[change.name].description
        if change.action is Action.CREATE:
            scope = await self._client.create_organization_scope(change.name, description)
            self._organization_scope_ids[change.name] = scope.id
        else:
            scope_id = self._organization_scope_ids[change.name]
            await self._client.describe_organization_scope(scope_id, description)

    async def _write_resource(self, change: Change) -> None:
        self._resource_id = (await self._client.create_resource(RESOURCE_NAME, change.name)).id

    async def _write_api_scope(self, change: Change) -> None:
        description = _PERMISSIONS[change.name].description
        if change.action is Action.CREATE:
            scope = await self._client.create_resource_scope(self._resource_id, change.name, description)
            self._api_scope_ids[change.name] = scope.id
        else:
            scope_id = self._api_scope_ids[change.name]
            await self._client.describe_resource_scope(self._resource_id, scope_id, description)

    async def _write_role(self, change: Change) -> None:
        role = _ROLES[change.name]
        if change.action is Action.CREATE:
            created = await self._client.create_organization_role(
                role.value, role.description, role.type.value
            )
            role_id = created.id
        else:
            role_id = self._found.roles[role.value].id
            await self._client.describe_organization_role(role_id, role.description)
        await self._client.replace_role_scopes(
            role_id, _ids(role, Carrier.ORGANIZATION_TOKEN, self._organization_scope_ids)
        )
        await self._client.replace_role_resource_scopes(
            role_id, _ids(role, Carrier.API_TOKEN, self._api_scope_ids)
        )

    async def _write_application(self, change: Change) -> None:
        oidc, custom = merged_metadata(self._deployment, self._found.application)
        if change.action is Action.CREATE:
            created = await self._client.create_traditional_application(
                APPLICATION_NAME, APPLICATION_DESCRIPTION, oidc_metadata=oidc, custom=custom
            )
            self._app_id = created.id
        else:
            await self._client.replace_application_metadata(self._app_id, oidc_metadata=oidc, custom=custom)

    async def _write_id_token_claims(self, change: Change) -> None:
        kept = self._found.id_token_claims
        missing = [claim for claim in ID_TOKEN_CLAIMS if claim not in kept]
        await self._client.replace_id_token_claims([*kept, *missing])

    async def _write_account_center(self, change: Change) -> None:
        fields = dict.fromkeys(ACCOUNT_FIELDS, EDITABLE)
        await self._client.open_account_center({**self._found.account_center.fields, **fields})

    async def _write_webhook(self, change: Change) -> None:
        hook = self._found.webhook
        if hook is None:
            made = await self._client.create_hook(WEBHOOK_NAME, change.name, WEBHOOK_EVENTS)
            self._signing_key = made.signing_key
        else:
            events = hook.events | WEBHOOK_EVENTS
            await self._client.replace_hook(hook.id, events=events, config=hook.config)

    async def _write_single_sign_on(self, change: Change) -> None:
        await self._client.change_sign_in_experience({SINGLE_SIGN_ON_KEY: True})

    async def _usable_secret(self) -> str:
        """Return a valid secret. A new application has one; another is created only if there is none."""
        if self._found.usable_secrets:
            return self._found.usable_secrets[0]
        existing = await self._client.list_secrets(self._app_id) if self._found.application is None else []
        if existing:
            return existing[0].value
        return (await self._client.create_secret(self._app_id, SECRET_NAME)).value


def _ids(role: Role, carrier: Carrier, ids: dict[str, str]) -> list[str]:
    return [ids[permission.value] for permission in role_permissions(role, carrier)]
