"""Calls for applications, their secrets, and the claims of ID tokens."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from saas_app.logto.calls import Calls
from saas_app.logto.paths import quoted, segment
from saas_app.logto.records import AccountCenter, Application, ApplicationSecret, IdTokenConfig

TRADITIONAL: Final = "Traditional"


class ApplicationCalls(Calls):
    """Applications of the tenant. Machine applications in organizations are in :mod:`.machine_clients`."""

    async def find_application(self, application_id: str) -> Application | None:
        """Return an application, or None if there is none with this ID."""
        found = await self._find("/applications/{}", application_id)
        return None if found is None else Application.read(found)

    async def list_traditional_applications(self) -> list[Application]:
        """Return every traditional web application. Names are not unique."""
        found = await self._transport.list_all("/applications", {"types": TRADITIONAL})
        return Application.read_all(found)

    async def create_traditional_application(
        self, name: str, description: str, *, oidc_metadata: Mapping[str, Any], custom: Mapping[str, Any]
    ) -> Application:
        """Add a traditional web application. The response has no secret; see :meth:`list_secrets`."""
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
        """Replace both metadata objects. Pass everything that is to remain."""
        body = {"oidcClientMetadata": dict(oidc_metadata), "customClientMetadata": dict(custom)}
        await self._body("PATCH", _path(application_id), body)

    async def delete_application(self, application_id: str) -> None:
        """Delete an application with its secrets, in all its organizations. 404 if there is none."""
        await self._body("DELETE", _path(application_id))

    async def list_secrets(self, application_id: str) -> list[ApplicationSecret]:
        """Return an application's secrets, in plain text."""
        return ApplicationSecret.read_all(await self._body("GET", f"{_path(application_id)}/secrets"))

    async def create_secret(
        self, application_id: str, name: str, expires_at: datetime | None = None
    ) -> ApplicationSecret:
        """Add a named secret that works until ``expires_at``. 422 ``application.secret_name_exists``."""
        body: dict[str, Any] = {"name": name}
        if expires_at is not None:
            body["expiresAt"] = int(expires_at.timestamp() * 1000)
        created = await self._body("POST", f"{_path(application_id)}/secrets", body)
        return ApplicationSecret.read(created)

    async def delete_secret(self, application_id: str, name: str) -> None:
        """Delete a secret by its name, which may be any text. 404 if there is none."""
        await self._body("DELETE", f"{_path(application_id)}/secrets/{quoted(name)}")

    async def list_id_token_claims(self) -> list[str]:
        """Return the extended claims in the ID tokens of the whole tenant."""
        config = IdTokenConfig.read(await self._body("GET", "/configs/id-token") or {})
        return list(config.enabled_extended_claims)

    async def replace_id_token_claims(self, names: Iterable[str]) -> None:
        """Set the extended claims in the ID tokens of the whole tenant."""
        await self._body("PUT", "/configs/id-token", {"enabledExtendedClaims": list(names)})

    async def get_account_center(self) -> AccountCenter:
        """Return what people of the tenant may edit about themselves by the Account API."""
        return AccountCenter.read(await self._body("GET", "/account-center"))

    async def open_account_center(self, fields: Mapping[str, str]) -> None:
        """Turn the Account API on, and replace what it allows: ``Off``, ``ReadOnly`` or ``Edit`` by field."""
        body = {"enabled": True, "fields": dict(fields)}
        await self._body("PATCH", "/account-center", body, repeatable=True)


def _path(application_id: str) -> str:
    return f"/applications/{segment(application_id)}"
