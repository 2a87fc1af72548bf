"""Calls for a person's browser sessions and grants at Logto.

When one of them ends this way, Logto 1.42 sends neither a webhook nor a back-channel logout.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final, TypeAlias

from pydantic import AfterValidator, AliasPath, ConfigDict, Field

from saas_app.logto.calls import Calls
from saas_app.logto.paths import segment
from saas_app.logto.record import Record
from saas_app.logto.responses import ManagementError

_IPV4_IN_IPV6: Final = "::ffff:"
Address: TypeAlias = Annotated[str, AfterValidator(lambda address: address.removeprefix(_IPV4_IN_IPV6))]


class Authorization(Record):
    """The part of a browser session that belongs to one application."""

    sid: str = ""
    grant_id: str = ""


class BrowserSession(Record):
    """A browser that is signed in at Logto."""

    model_config = ConfigDict(val_temporal_unit="seconds")

    uid: str = Field(validation_alias=AliasPath("payload", "uid"))
    signed_in_at: datetime | None = Field(None, validation_alias=AliasPath("payload", "loginTs"))
    address: Address = Field("", validation_alias=AliasPath("lastSubmission", "signInContext", "ip"))
    user_agent: str = Field("", validation_alias=AliasPath("lastSubmission", "signInContext", "userAgent"))
    authorizations: Mapping[str, Authorization] = Field(
        {}, validation_alias=AliasPath("payload", "authorizations")
    )

    @property
    def sids(self) -> Mapping[str, str]:
        """The ``sid`` of each application, by the application's ID."""
        return {client_id: found.sid for client_id, found in self.authorizations.items() if found.sid}

    @property
    def grant_ids(self) -> frozenset[str]:
        """The grants of all its applications."""
        return frozenset(found.grant_id for found in self.authorizations.values() if found.grant_id)


class UserGrant(Record):
    """A person's grant to an application. When it ends, so do its tokens.

    ``resource_scopes`` are the scopes that are frozen in it, by API resource, separated by spaces.
    """

    id: str
    client_id: str = Field("", validation_alias=AliasPath("payload", "clientId"))
    resource_scopes: Mapping[str, str] = Field({}, validation_alias=AliasPath("payload", "resources"))


class UserSessionCalls(Calls):
    """Browser sessions and grants of a person."""

    async def list_user_sessions(self, user_id: str) -> list[BrowserSession]:
        """Return every browser in which a person is signed in at Logto. Empty for an unknown person."""
        body = await self._read(f"/users/{segment(user_id)}/sessions")
        return BrowserSession.read_all(body.get("sessions"))

    async def end_user_session(self, user_id: str, uid: str) -> None:
        """End a browser session and the grants of all its applications. Nothing happens if it has ended."""
        path = f"/users/{segment(user_id)}/sessions/{segment(uid)}"
        await self._end(path, {"revokeGrantsTarget": "all"}, gone="oidc.session_not_found")

    async def list_user_grants(self, user_id: str) -> list[UserGrant]:
        """Return every grant of a person, including those without a browser session."""
        body = await self._read(f"/users/{segment(user_id)}/grants")
        return UserGrant.read_all(body.get("grants"))

    async def end_user_grant(self, user_id: str, grant_id: str) -> None:
        """Revoke a grant and its tokens. Nothing happens if it has been revoked."""
        path = f"/users/{segment(user_id)}/grants/{segment(grant_id)}"
        await self._end(path, None, gone="oidc.invalid_grant")

    async def _read(self, path: str) -> dict[str, Any]:
        body = await self._body("GET", path)
        return body if isinstance(body, dict) else {}

    async def _end(self, path: str, query: dict[str, str | int] | None, *, gone: str) -> None:
        try:
            await self._transport.call("DELETE", path, query=query)
        except ManagementError as refusal:
            if refusal.status != 404 or refusal.code != gone:
                raise
