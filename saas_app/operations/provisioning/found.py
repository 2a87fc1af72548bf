"""Reads what is in Logto now."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from saas_app.errors import ConfigurationError
from saas_app.logto import (
    AccountCenter,
    Application,
    ApplicationSecret,
    Connector,
    EmailTemplate,
    Hook,
    ManagementClient,
    OrganizationRole,
    OrganizationScope,
    Resource,
)
from saas_app.logto.applications import TRADITIONAL
from saas_app.operations.provisioning.declared import APPLICATION_NAME, Deployment
from saas_app.text.translation import _


@dataclass(frozen=True, slots=True)
class Found:
    """The part of the tenant that concerns our declarations."""

    organization_scopes: Mapping[str, OrganizationScope] = field(default_factory=dict)  # by name
    resources: tuple[Resource, ...] = ()
    roles: Mapping[str, OrganizationRole] = field(default_factory=dict)  # by name
    id_token_claims: tuple[str, ...] = ()
    account_center: AccountCenter = field(default_factory=lambda: AccountCenter())
    application: Application | None = None
    usable_secrets: tuple[str, ...] = field(default=(), repr=False)  # the preferred one first
    webhook: Hook | None = None
    connectors: tuple[Connector, ...] = ()
    email_templates: tuple[EmailTemplate, ...] = ()
    sign_in_experience: Mapping[str, object] = field(default_factory=dict)

    def find_resource(self, indicator: str) -> Resource | None:
        """Return the API resource with this indicator, or None."""
        return next((resource for resource in self.resources if resource.indicator == indicator), None)


async def survey(client: ManagementClient, deployment: Deployment) -> Found:
    """Read the tenant. Raises :class:`ConfigurationError` if it is unclear which application is ours."""
    application = await _find_application(client, deployment)
    scopes, resources, roles, claims, secrets, hooks = await asyncio.gather(
        client.list_organization_scopes(),
        client.list_resources(),
        client.list_organization_roles(),
        client.list_id_token_claims(),
        _list_secrets(client, application),
        client.list_hooks(),
    )
    found = Found(
        organization_scopes={scope.name: scope for scope in scopes},
        resources=tuple(resources),
        roles={role.name: role for role in roles},
        id_token_claims=tuple(claims),
        account_center=await client.get_account_center(),
        application=application,
        usable_secrets=usable_secrets(secrets, deployment.app_secret),
        webhook=_find_webhook(hooks, deployment),
    )
    if deployment.sign_in_methods:
        return await _with_sign_in(client, found)
    if deployment.single_sign_on:
        return replace(found, sign_in_experience=await client.get_sign_in_experience())
    return found


async def _with_sign_in(client: ManagementClient, found: Found) -> Found:
    connectors, templates, experience = await asyncio.gather(
        client.list_connectors(), client.list_email_templates(), client.get_sign_in_experience()
    )
    return replace(
        found,
        connectors=tuple(connectors),
        email_templates=tuple(templates),
        sign_in_experience=experience,
    )


async def _find_application(client: ManagementClient, deployment: Deployment) -> Application | None:
    """Find our application by its stored ID, otherwise by its exact name. Names are not unique in Logto."""
    if deployment.app_id:
        stored = await client.find_application(deployment.app_id)
        if stored is not None and stored.type != TRADITIONAL:
            raise ConfigurationError(
                _(
                    "LOGTO_APP_ID names the application '%(name)s' of type %(type)s. It must be of type "
                    "%(traditional)s.",
                    name=stored.name,
                    type=stored.type,
                    traditional=TRADITIONAL,
                )
            )
        if stored is not None:
            return stored
    named = [
        application
        for application in await client.list_traditional_applications()
        if application.name == APPLICATION_NAME and application.type == TRADITIONAL
    ]
    if len(named) > 1:
        ids = ", ".join(sorted(application.id for application in named))
        raise ConfigurationError(
            _(
                "Logto has %(number)s applications named %(name)s (%(ids)s): set "
                "LOGTO_APP_ID to the one to use.",
                number=len(named),
                name=APPLICATION_NAME,
                ids=ids,
            )
        )
    return named[0] if named else None


async def _list_secrets(client: ManagementClient, application: Application | None) -> list[ApplicationSecret]:
    return [] if application is None else await client.list_secrets(application.id)


def _find_webhook(hooks: list[Hook], deployment: Deployment) -> Hook | None:
    """Find our webhook by its URL. Among several, prefer the one with the stored signing key."""
    ours = [hook for hook in hooks if hook.url == deployment.webhook_url]
    ours.sort(key=lambda hook: hook.signing_key != deployment.webhook_signing_key)
    return ours[0] if ours else None


def usable_secrets(secrets: list[ApplicationSecret], stored: str) -> tuple[str, ...]:
    """Return the values of secrets that are valid now: the stored one first, then those that never expire."""
    now = time.time() * 1000
    live = [secret for secret in secrets if secret.expires_at is None or secret.expires_at > now]
    lasting_first = sorted(live, key=lambda secret: (secret.value != stored, secret.expires_at is not None))
    return tuple(secret.value for secret in lasting_first)
