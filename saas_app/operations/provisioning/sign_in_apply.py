"""Writes connectors and email templates, then the sign-in experience, which Logto checks against them."""

from __future__ import annotations

from dataclasses import dataclass

from saas_app.logto import Connector, EmailTemplate, ManagementClient
from saas_app.operations.provisioning.changes import Change, Kind
from saas_app.operations.provisioning.declared import Deployment
from saas_app.operations.provisioning.found import Found
from saas_app.operations.provisioning.sign_in_plan import changed_experience, find_connector, wanted_templates
from saas_app.operations.sign_in_methods.connector_configs import DeclaredConnector, connectors_of
from saas_app.operations.sign_in_methods.model import Declaration


@dataclass(frozen=True, slots=True)
class SocialCallback:
    """The URL to which a social provider returns people. It has to be registered there."""

    provider: str
    url: str


async def apply_sign_in(
    client: ManagementClient, declaration: Declaration, found: Found, changes: tuple[Change, ...]
) -> None:
    """Write what differs. Existing connectors are changed, not created again: IDs and callback URLs stay."""
    names = {kind: {change.name for change in changes if change.kind is kind} for kind in Kind}
    for connector in connectors_of(declaration):
        if connector.factory in names[Kind.CONNECTOR]:
            await _write_connector(client, connector, find_connector(connector.factory, found))
    templates = [
        EmailTemplate(language=template.language, usage=template.usage, details=template.details)
        for template in wanted_templates(declaration, found)
        if template.name in names[Kind.EMAIL_TEMPLATE]
    ]
    if templates:
        await client.put_email_templates(templates)
    if names[Kind.SIGN_IN_EXPERIENCE]:
        await client.change_sign_in_experience(changed_experience(declaration, found))


async def _write_connector(
    client: ManagementClient, declared: DeclaredConnector, existing: Connector | None
) -> None:
    if existing:
        await client.change_connector(existing.id, declared.config, sync_profile=declared.sync_profile)
    else:
        await client.create_connector(
            declared.factory, declared.config, connector_id=declared.id, sync_profile=declared.sync_profile
        )


async def list_social_callbacks(
    client: ManagementClient, deployment: Deployment, endpoint: str
) -> tuple[SocialCallback, ...]:
    """Return the callback URLs of the declared social connectors that exist in Logto at ``endpoint``."""
    methods = deployment.sign_in_methods
    labels = (
        {connector.factory: connector.label for connector in methods.connectors.social} if methods else {}
    )
    if not labels:
        return ()
    return tuple(
        SocialCallback(labels[connector.factory], f"{endpoint}/callback/{connector.id}")
        for connector in await client.list_connectors()
        if connector.factory in labels
    )
