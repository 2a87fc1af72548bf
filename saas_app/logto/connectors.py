"""Calls for connectors, email templates and the sign-in experience."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from saas_app.logto.calls import Calls
from saas_app.logto.paths import segment
from saas_app.logto.records import Connector, EmailTemplate
from saas_app.logto.responses import ManagementError


class ConnectorCalls(Calls):
    """How people sign in, and which providers send the codes."""

    async def list_connectors(self) -> list[Connector]:
        """Return all connectors with their configs, which include secrets. Logto does not page this list."""
        return Connector.read_all(await self._body("GET", "/connectors"))

    async def create_connector(
        self,
        factory: str,
        config: Mapping[str, Any],
        *,
        connector_id: str = "",
        sync_profile: bool | None = None,
    ) -> Connector:
        """Add a connector. One for email or SMS replaces the existing one (Logto 1.42).

        400 ``connector.invalid_config``; 422 ``connector.multiple_instances_not_supported`` for a second
        social connector of its kind.
        """
        body: dict[str, Any] = {"connectorId": factory, "config": dict(config)}
        if connector_id:
            body["id"] = connector_id
        if sync_profile is not None:
            body["syncProfile"] = sync_profile
        return Connector.read(await self._body("POST", "/connectors", body))

    async def change_connector(
        self, connector_id: str, config: Mapping[str, Any], *, sync_profile: bool | None = None
    ) -> Connector:
        """Replace a connector's config. Its ID stays, and so does its callback URL."""
        body: dict[str, Any] = {"config": dict(config)}
        if sync_profile is not None:
            body["syncProfile"] = sync_profile
        return Connector.read(await self._body("PATCH", f"/connectors/{segment(connector_id)}", body))

    async def test_connector(
        self, factory: str, config: Mapping[str, Any], recipient: Mapping[str, str], *, locale: str = ""
    ) -> None:
        """Send the text for Generic, with the code 000000, using a config that may not be stored yet.

        ``recipient`` is ``{"email": …}`` or ``{"phone": digits}``. 400 ``connector.general`` if the provider
        refuses; :func:`provider_answer` returns its reason.
        """
        body: dict[str, Any] = {**recipient, "config": dict(config)}
        if locale:
            body["locale"] = locale
        await self._body("POST", f"/connectors/{segment(factory)}/test", body)

    async def list_email_templates(self) -> list[EmailTemplate]:
        """Return every email template of the tenant."""
        return EmailTemplate.read_all(await self._body("GET", "/email-templates"))

    async def put_email_templates(self, templates: Iterable[EmailTemplate]) -> None:
        """Store templates. Each replaces the one for its usage and language."""
        body = [
            {"languageTag": found.language, "templateType": found.usage, "details": dict(found.details)}
            for found in templates
        ]
        await self._body("PUT", "/email-templates", {"templates": body})

    async def get_sign_in_experience(self) -> dict[str, Any]:
        """Return the settings of the sign-in pages, as Logto stores them."""
        found: dict[str, Any] = await self._body("GET", "/sign-in-exp")
        return found

    async def change_sign_in_experience(self, changes: Mapping[str, Any]) -> None:
        """Replace whole objects of these settings. 400 ``sign_in_experiences.…`` if they conflict."""
        await self._body("PATCH", "/sign-in-exp", dict(changes), repeatable=True)


def provider_answer(refusal: ManagementError) -> str:
    """Return why Logto or a provider refused a connector, or Logto's own message if it gives no reason."""
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
