"""The calls about connectors, email templates and the sign-in experience. Part of the client."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from saas_app.logto.paths import segment
from saas_app.logto.records import Connector, EmailTemplate
from saas_app.logto.transport import ManagementError, ManagementTransport


class ConnectorCalls:
    """How people sign in, and who sends the codes. Mixed into the client, which brings the transport."""

    _transport: ManagementTransport

    async def list_connectors(self) -> list[Connector]:
        """Every connector with its config, secrets included: all of them, Logto does not page this list."""
        return Connector.read_all((await self._transport.call("GET", "/connectors")).body)

    async def create_connector(
        self,
        factory: str,
        config: Mapping[str, Any],
        *,
        connector_id: str = "",
        sync_profile: bool | None = None,
    ) -> Connector:
        """Add a connector. One for email or SMS takes the place of the one there is (Logto 1.42).

        400 ``connector.invalid_config``, 422 ``connector.multiple_instances_not_supported`` for a second
        social one of its kind.
        """
        body: dict[str, Any] = {"connectorId": factory, "config": dict(config)}
        if connector_id:
            body["id"] = connector_id
        if sync_profile is not None:
            body["syncProfile"] = sync_profile
        return Connector.read((await self._transport.call("POST", "/connectors", body=body)).body)

    async def change_connector(
        self, connector_id: str, config: Mapping[str, Any], *, sync_profile: bool | None = None
    ) -> Connector:
        """Replace a connector's config whole; its id, and so its callback address, stays."""
        body: dict[str, Any] = {"config": dict(config)}
        if sync_profile is not None:
            body["syncProfile"] = sync_profile
        path = f"/connectors/{segment(connector_id)}"
        return Connector.read((await self._transport.call("PATCH", path, body=body)).body)

    async def test_connector(
        self, factory: str, config: Mapping[str, Any], recipient: Mapping[str, str], *, locale: str = ""
    ) -> None:
        """Send the text for Generic, with the code 000000, through a config that need not be stored.

        ``recipient`` is ``{"email": …}`` or ``{"phone": digits}``. 400 ``connector.general`` when the
        provider refuses; :func:`provider_answer` says what it answered.
        """
        body: dict[str, Any] = {**recipient, "config": dict(config)}
        if locale:
            body["locale"] = locale
        await self._transport.call("POST", f"/connectors/{segment(factory)}/test", body=body)

    async def list_email_templates(self) -> list[EmailTemplate]:
        """Every email template of the tenant."""
        body = (await self._transport.call("GET", "/email-templates")).body
        return EmailTemplate.read_all(body)

    async def put_email_templates(self, templates: Iterable[EmailTemplate]) -> None:
        """Store templates, each in the place of the one for its usage and language."""
        body = [
            {"languageTag": found.language, "templateType": found.usage, "details": dict(found.details)}
            for found in templates
        ]
        await self._transport.call("PUT", "/email-templates", body={"templates": body})

    async def get_sign_in_experience(self) -> dict[str, Any]:
        """What the sign-in pages offer, as Logto keeps it."""
        found: dict[str, Any] = (await self._transport.call("GET", "/sign-in-exp")).body
        return found

    async def change_sign_in_experience(self, changes: Mapping[str, Any]) -> None:
        """Replace whole objects of it; 400 ``sign_in_experiences.…`` when they do not fit each other."""
        await self._transport.call("PATCH", "/sign-in-exp", body=dict(changes), repeatable=True)


def provider_answer(refusal: ManagementError) -> str:
    """Why a connector was refused, or what its provider answered, as far as Logto says; else its message."""
    data = refusal.data
    if isinstance(data, Mapping):
        issues = data.get("issues")
        if isinstance(issues, list) and issues:
            return "; ".join(
                f"{'.'.join(map(str, issue.get('path') or ()))}: {issue.get('message')}" for issue in issues
            )
        if "statusCode" in data:
            return f"the provider answered {data['statusCode']}: {data.get('body')}"
        if "message" in data:
            return f"the provider answered: {data['message']}"
    return refusal.message
