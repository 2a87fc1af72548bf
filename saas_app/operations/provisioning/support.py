"""What support access needs in Logto: an organization for the team, and an application that exchanges tokens.

Both are found by their stored ids, or by a mark in their custom data. It is the only application that may
exchange tokens, because Logto 1.42 takes an ID token or a token of another client for a person there. A plan
for the main application turns that off (:data:`.declared.CUSTOM_METADATA`).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Final

from saas_app.errors import ConfigurationError
from saas_app.logto import Application, ManagementClient, OrganizationInfo
from saas_app.logto.machine_clients import MACHINE
from saas_app.operations.provisioning.changes import Action, Change, Kind
from saas_app.operations.provisioning.found import usable_secrets
from saas_app.text.translation import _

SUPPORT_MARK: Final = "workroomSupport"
"""Marks the application and the organization in Logto, because names there are not unique."""

_APPLICATION: Final = "Workroom support"
_ORGANIZATION: Final = "Support"
_ALLOWED: Final = {"allowTokenExchange": True}


@dataclass(frozen=True, slots=True)
class SupportTeam:
    """The organization of the support team and its application: as stored, or as they are now in Logto."""

    organization_id: str = ""
    app_id: str = ""
    app_secret: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class FoundSupport:
    """What is in Logto. ``secrets`` are those of the application that are valid now."""

    organization: OrganizationInfo | None
    application: Application | None
    secrets: tuple[str, ...] = field(default=(), repr=False)


async def survey_support(client: ManagementClient, stored: SupportTeam) -> FoundSupport:
    """Read what is in Logto. Raises :class:`ConfigurationError` if a stored id names something else."""
    organization, application = await asyncio.gather(
        _find_organization(client, stored), _find_application(client, stored)
    )
    if application is None:
        return FoundSupport(organization, None)
    secrets = await client.list_secrets(application.id)
    return FoundSupport(organization, application, usable_secrets(secrets, stored.app_secret))


def plan_support(stored: SupportTeam, found: FoundSupport) -> tuple[Change, ...]:
    """Return both items with their actions. Pure."""
    organization = Action.CREATE if found.organization is None else Action.KEEP
    return (
        _plan_application(stored, found),
        Change(Kind.SUPPORT_ORGANIZATION, _ORGANIZATION, organization),
    )


async def apply_support(client: ManagementClient, found: FoundSupport) -> SupportTeam:
    """Create what is missing, let the application exchange tokens, and return what Workroom needs to run."""
    mark = {SUPPORT_MARK: True}
    organization = found.organization or await client.create_organization(
        _ORGANIZATION, _("The operator’s support team"), custom_data=mark
    )
    application = found.application or await client.create_machine(
        _APPLICATION, _("Exchanges tokens for support access"), custom_data=mark
    )
    if not _may_exchange(application):
        await client.replace_application_metadata(
            application.id,
            oidc_metadata=application.oidc_metadata,
            custom={**application.custom_metadata, **_ALLOWED},
        )
    secrets = found.secrets or tuple(one.value for one in await client.list_secrets(application.id))
    secret = secrets[0] if secrets else (await client.create_secret(application.id, "workroom")).value
    return SupportTeam(organization.id, application.id, secret)


def _plan_application(stored: SupportTeam, found: FoundSupport) -> Change:
    if found.application is None:
        return Change(Kind.SUPPORT_APPLICATION, _APPLICATION, Action.CREATE)
    reasons = [] if _may_exchange(found.application) else ["+allowTokenExchange"]
    if stored.app_secret and stored.app_secret not in found.secrets:
        reasons.append(_("the stored SUPPORT_APP_SECRET is no longer valid"))
    action = Action.UPDATE if reasons else Action.KEEP
    return Change(Kind.SUPPORT_APPLICATION, found.application.name, action, ", ".join(reasons))


def _may_exchange(application: Application) -> bool:
    return application.custom_metadata.get("allowTokenExchange") is True


async def _find_organization(client: ManagementClient, stored: SupportTeam) -> OrganizationInfo | None:
    if stored.organization_id:
        found = await client.find_organization(stored.organization_id)
        if found is not None:
            return found
    marked = [one for one in await client.list_organizations() if one.custom_data.get(SUPPORT_MARK)]
    if len(marked) > 1:
        raise ConfigurationError(
            _(
                "Logto has several organizations of a support team: set SUPPORT_ORGANIZATION_ID to the one "
                "to use."
            )
        )
    return marked[0] if marked else None


async def _find_application(client: ManagementClient, stored: SupportTeam) -> Application | None:
    if stored.app_id:
        found = await client.find_application(stored.app_id)
        if found is not None and (found.type != MACHINE or not found.custom_data.get(SUPPORT_MARK)):
            raise ConfigurationError(
                _(
                    "SUPPORT_APP_ID names the application '%(name)s', which 'saas-app provision --support' "
                    "did not create. Remove SUPPORT_APP_ID, so that one is created.",
                    name=found.name,
                )
            )
        if found is not None:
            return found
    known = await client.list_machines_by_name(_APPLICATION)
    return next((one for one in known if one.custom_data.get(SUPPORT_MARK)), None)
