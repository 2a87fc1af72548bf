"""Calls for a person's browser sessions and grants at Logto.

When one of them ends this way, Logto 1.42 sends neither a webhook nor a back-channel logout.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final, TypeAlias

from pydantic import AfterValidator, AliasPath, BeforeValidator, ConfigDict, Field

from saas_app.logto.calls import Calls
from saas_app.logto.paths import segment
from saas_app.logto.record import Entry, Record
from saas_app.logto.responses import ManagementError

_IPV4_IN_IPV6: Final = "::ffff:"
_Text: TypeAlias = Annotated[str, BeforeValidator(lambda value: value if isinstance(value, str) else "")]
_MaybeText: TypeAlias = Annotated[
    str | None, BeforeValidator(lambda value: value if isinstance(value, str) else None)
]
_ENTERPRISE: Final = "EnterpriseSso"
Address: TypeAlias = Annotated[str, AfterValidator(lambda address: address.removeprefix(_IPV4_IN_IPV6))]


class Authorization(Record):
    """The part of a browser session that belongs to one application."""

    sid: str = ""
    grant_id: str = ""


class SsoSubmission(Record):
    """The proof of a sign-in at a company's identity provider, as it was when the browser signed in.

    ``user_id`` is the person's ``sub`` there, ``issuer`` the one that the connector was configured with, and
    ``email`` their address, which Logto keeps only if the provider calls it verified. ``claims`` is all that
    the provider said. Logto writes their names in camel case: ``member_of`` is ``memberOf`` there.

    Logto remembers the last proof of a sign-in, not which one identified the account. So compare ``issuer``
    and ``user_id`` with the account's :attr:`.records.LogtoUser.sso_identities`. A provider may send
    anything: ``user_id`` is empty and ``email`` None unless they are text.
    """

    connector_id: str
    issuer: str
    user_id: _Text = Field("", validation_alias=AliasPath("enterpriseSsoUserInfo", "id"))
    email: _MaybeText = Field(None, validation_alias=AliasPath("enterpriseSsoUserInfo", "email"))
    claims: Entry = Field(validation_alias="enterpriseSsoUserInfo", repr=False)


def _proofs_in(records: Any) -> list[Mapping[str, Any]]:
    """Return the records of enterprise sign-ins among those of a submission, complete or not."""
    entries = records if isinstance(records, list) else ()
    return [one for one in entries if isinstance(one, Mapping) and one.get("type") == _ENTERPRISE]


def _is_complete(proof: Mapping[str, Any]) -> bool:
    return bool(proof.get("enterpriseSsoUserInfo") and proof.get("issuer"))


def _verified_sso(records: Any) -> Any:
    """Return the record of a completed enterprise sign-in among those of a submission, or None."""
    return next(filter(_is_complete, _proofs_in(records)), None)


def _explains(records: Any) -> bool:
    """Return whether a submission says how its browser signed in.

    A later record takes the place of the one that identified the account (Logto 1.42). So a departure to a
    provider without a return may hide what another provider said.
    """
    proofs = _proofs_in(records)
    return isinstance(records, list) and len(proofs) <= 1 and all(map(_is_complete, proofs))


class BrowserSession(Record):
    """A browser that is signed in at Logto. ``sso`` is None if it did not sign in at a company's provider.

    ``is_explained``: Logto says how it signed in. Otherwise, ``sso`` says nothing: Logto 1.42 leaves out a
    submission that it cannot read, and discards a proof when the browser is sent to a provider again.
    ``is_forgotten``: Logto has no submission. Logto 1.42 forgets it when an application that has a grant in
    the session comes back for consent.
    """

    model_config = ConfigDict(val_temporal_unit="seconds")

    uid: str = Field(validation_alias=AliasPath("payload", "uid"))
    signed_in_at: datetime | None = Field(None, validation_alias=AliasPath("payload", "loginTs"))
    address: Address = Field("", validation_alias=AliasPath("lastSubmission", "signInContext", "ip"))
    user_agent: str = Field("", validation_alias=AliasPath("lastSubmission", "signInContext", "userAgent"))
    authorizations: Mapping[str, Authorization] = Field(
        {}, validation_alias=AliasPath("payload", "authorizations")
    )

    sso: Annotated[SsoSubmission | None, BeforeValidator(_verified_sso)] = Field(
        None, repr=False, validation_alias=AliasPath("lastSubmission", "verificationRecords")
    )

    is_explained: Annotated[bool, BeforeValidator(_explains)] = Field(
        default=False, validation_alias=AliasPath("lastSubmission", "verificationRecords")
    )

    is_forgotten: Annotated[bool, BeforeValidator(lambda submission: submission in (None, True))] = Field(
        default=True, validation_alias="lastSubmission"
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
