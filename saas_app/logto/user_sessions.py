"""The calls about where somebody is signed in at Logto, and what they granted. Part of the client.

Ending any of it tells nobody (Logto 1.42): no webhook is sent, and no back-channel logout.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final, TypeAlias

from pydantic import AfterValidator, AliasPath, ConfigDict, Field

from saas_app.logto.paths import segment
from saas_app.logto.records import Record
from saas_app.logto.transport import ManagementError, ManagementTransport

_IPV4_IN_IPV6: Final = "::ffff:"
Address: TypeAlias = Annotated[str, AfterValidator(lambda address: address.removeprefix(_IPV4_IN_IPV6))]


class Authorization(Record):
    """What a browser session holds for one application."""

    sid: str = ""
    grant_id: str = ""


class BrowserSession(Record):
    """One browser that is signed in at Logto."""

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
        """The ``sid`` of each application there, by the application's id."""
        return {client_id: found.sid for client_id, found in self.authorizations.items() if found.sid}

    @property
    def grant_ids(self) -> frozenset[str]:
        """The grants of all its applications."""
        return frozenset(found.grant_id for found in self.authorizations.values() if found.grant_id)


class UserGrant(Record):
    """What somebody granted to an application; its tokens die with it."""

    id: str


class UserSessionCalls:
    """Browser sessions and grants of a person. Mixed into the client, which brings the transport."""

    _transport: ManagementTransport

    async def list_user_sessions(self, user_id: str) -> list[BrowserSession]:
        """Every browser in which the person is signed in at Logto. Nobody by this id has none."""
        body = await self._read(f"/users/{segment(user_id)}/sessions")
        return BrowserSession.read_all(body.get("sessions"))

    async def end_user_session(self, user_id: str, uid: str) -> None:
        """End a browser's session with the grants of all its applications. One that is gone is ended."""
        path = f"/users/{segment(user_id)}/sessions/{segment(uid)}"
        await self._end(path, {"revokeGrantsTarget": "all"}, gone="oidc.session_not_found")

    async def list_user_grants(self, user_id: str) -> list[UserGrant]:
        """Every grant of the person, those without a browser session included."""
        body = await self._read(f"/users/{segment(user_id)}/grants")
        return UserGrant.read_all(body.get("grants"))

    async def end_user_grant(self, user_id: str, grant_id: str) -> None:
        """Revoke a grant with its tokens. One that is gone is ended."""
        path = f"/users/{segment(user_id)}/grants/{segment(grant_id)}"
        await self._end(path, None, gone="oidc.invalid_grant")

    async def _read(self, path: str) -> dict[str, Any]:
        body = (await self._transport.call("GET", path)).body
        return body if isinstance(body, dict) else {}

    async def _end(self, path: str, query: dict[str, str | int] | None, *, gone: str) -> None:
        try:
            await self._transport.call("DELETE", path, query=query)
        except ManagementError as refusal:
            if refusal.status != 404 or refusal.code != gone:
                raise
