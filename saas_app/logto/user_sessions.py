"""The calls about where somebody is signed in at Logto, and what they granted. Part of the client.

Ending any of it tells nobody (Logto 1.42): no webhook is sent, and no back-channel logout.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Self, TypeGuard

from saas_app.logto.paths import segment
from saas_app.logto.records import Entry, Record
from saas_app.logto.transport import ManagementError, ManagementTransport, as_list

_LATEST: Final = 4_102_444_800  # seconds since the epoch: the year 2100


@dataclass(frozen=True, slots=True)
class BrowserSession(Record):
    """One browser that is signed in at Logto. ``sids`` maps each application's id to its ``sid`` there;
    ``grant_ids`` are those of all its applications.
    """

    uid: str
    signed_in_at: datetime | None
    address: str
    user_agent: str
    sids: Mapping[str, str]
    grant_ids: frozenset[str]

    @classmethod
    def _from_entry(cls, entry: Entry) -> Self:
        payload = entry["payload"]
        context = (entry.get("lastSubmission") or {}).get("signInContext") or {}
        login = payload.get("loginTs")
        authorizations = payload.get("authorizations") or {}
        return cls(
            uid=payload["uid"],
            signed_in_at=datetime.fromtimestamp(login, UTC) if _is_moment(login) else None,
            address=str(context.get("ip") or "").removeprefix("::ffff:"),
            user_agent=str(context.get("userAgent") or ""),
            sids={
                client_id: authorization["sid"]
                for client_id, authorization in authorizations.items()
                if authorization.get("sid")
            },
            grant_ids=frozenset(
                authorization["grantId"]
                for authorization in authorizations.values()
                if authorization.get("grantId")
            ),
        )


def _is_moment(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and 0 < value < _LATEST


@dataclass(frozen=True, slots=True)
class UserGrant(Record):
    """What somebody granted to an application; its tokens die with it."""

    id: str

    @classmethod
    def _from_entry(cls, entry: Entry) -> Self:
        return cls(entry["id"])


class UserSessionCalls:
    """Browser sessions and grants of a person. Mixed into the client, which brings the transport."""

    _transport: ManagementTransport

    async def list_user_sessions(self, user_id: str) -> list[BrowserSession]:
        """Every browser in which the person is signed in at Logto. Nobody by this id has none."""
        body = await self._read(f"/users/{segment(user_id)}/sessions")
        return [BrowserSession.read(entry) for entry in as_list(body.get("sessions"))]

    async def end_user_session(self, user_id: str, uid: str) -> None:
        """End a browser's session with the grants of all its applications. One that is gone is ended."""
        path = f"/users/{segment(user_id)}/sessions/{segment(uid)}"
        await self._end(path, {"revokeGrantsTarget": "all"}, gone="oidc.session_not_found")

    async def list_user_grants(self, user_id: str) -> list[UserGrant]:
        """Every grant of the person, those without a browser session included."""
        body = await self._read(f"/users/{segment(user_id)}/grants")
        return [UserGrant.read(entry) for entry in as_list(body.get("grants"))]

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
