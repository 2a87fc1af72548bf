"""Write connectors, email templates and, last, the sign-in experience, which Logto checks against them."""

from __future__ import annotations

from dataclasses import dataclass

from saas_app.logto import EmailTemplate, ManagementClient
from saas_app.operations.provisioning.changes import Change, Kind
from saas_app.operations.provisioning.declared import Deployment
from saas_app.operations.provisioning.found import Found
from saas_app.operations.provisioning.sign_in_plan import find_connector, wanted_experience, wanted_templates
from saas_app.operations.sign_in_methods.model import Declaration
from saas_app.operations.sign_in_methods.wire import connectors_of


@dataclass(frozen=True, slots=True)
class SocialCallback:
    """Where a provider sends people back to; to be registered there."""

    provider: str
    url: str


async def apply_sign_in(
    client: ManagementClient, declaration: Declaration, found: Found, changes: tuple[Change, ...]
) -> None:
    """Write what differs. Connectors are updated and never recreated, so that ids and callback URLs stay."""
    different = {kind: {change.name for change in changes if change.kind is kind} for kind in Kind}
    for connector in connectors_of(declaration):
        if connector.factory not in different[Kind.CONNECTOR]:
            continue
        existing = find_connector(connector.factory, found)
        if existing:
            await client.change_connector(existing.id, connector.config, sync_profile=connector.sync_profile)
        else:
            await client.create_connector(
                connector.factory,
                connector.config,
                connector_id=connector.id,
                sync_profile=connector.sync_profile,
            )
    templates = [
        EmailTemplate(language=template.language, usage=template.usage, details=template.details)
        for template in wanted_templates(declaration, found)
        if template.name in different[Kind.EMAIL_TEMPLATE]
    ]
    if templates:
        await client.put_email_templates(templates)
    if different[Kind.SIGN_IN_EXPERIENCE]:
        wanted = wanted_experience(declaration, found)
        await client.change_sign_in_experience(
            {key: value for key, value in wanted.items() if found.sign_in_experience.get(key) != value}
        )


async def list_social_callbacks(
    client: ManagementClient, deployment: Deployment, endpoint: str
) -> tuple[SocialCallback, ...]:
    """The callback URL of each declared social connector that Logto, at ``endpoint``, has."""
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
