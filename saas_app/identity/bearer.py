"""Bearer tokens: a program's API-resource or organization token, as a caller and as a :class:`Tenant`.

Two audiences are accepted, and nothing else: our API resource, with ``organization_id`` where a route
belongs to an organization, and Logto's organization audience. Which permission needs which is in the
registry.

A token issued before the last known change of the membership is rejected. Its ``iat`` is compared with what
Logto's own clock said at the change. Where that leaves a doubt, a token that was used before the change is
older than it, and for every other Logto is asked whether it would grant now what the token claims. While a
change has begun whose end is not known, a token in doubt is refused, and for a newer one Logto is asked at
every request.
"""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Final

import sqlalchemy as sa
import structlog

from saas_app.db.base import utc_now
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.errors import InvalidToken, NotFound
from saas_app.identity.claims import ORGANIZATION_AUDIENCE, decode_unverified, is_id, scopes_of
from saas_app.identity.membership_changes import CHANGE_COLUMNS, KnownChanges, as_changes
from saas_app.identity.membership_check import Claimed, holds_now
from saas_app.identity.principal import Principal
from saas_app.identity.session_access import NOWHERE
from saas_app.identity.tenant import Tenant
from saas_app.identity.token_verifier import TokenRejected, TokenVerifier
from saas_app.logto import ManagementClient
from saas_app.logto.provider_clock import LEEWAY
from saas_app.models import ApiClient, MembershipChange, Organization, PendingChange, User
from saas_app.rbac.permissions import Carrier, known_permissions

log = structlog.get_logger(__name__)

_LONGEST: Final = 16_384  # characters; a JWT of an API is a tenth of that
_MOST_REMEMBERED: Final = 4_096


@dataclass(frozen=True, slots=True)
class BearerToken:
    """What a verified token says. It holds no token. Times are Unix seconds."""

    subject: str
    client_id: str
    carrier: Carrier
    organization_id: str | None
    scopes: frozenset[str]
    issued_at: int
    expires_at: int

    @property
    def is_machine(self) -> bool:
        """Whether a program came by itself: with client credentials, ``sub`` is the client (Logto 1.42)."""
        return self.subject == self.client_id


class _Judged(Enum):
    """How a token was found last. ``OUTDATED``, to be older than a change, is for good."""

    BY_TIME = auto()
    BY_LOGTO = auto()
    OUTDATED = auto()


@dataclass(slots=True)
class _Remembered:
    """A verified token, and how it was judged at which version of its membership's changes."""

    token: BearerToken
    judged: _Judged | None = None
    version: int = 0

    def compare(self, changes: KnownChanges) -> _Judged | None:
        """Judge the token by its time alone: newer than the changes or older. None where it is in doubt."""
        issued_at, latest = self.token.issued_at, changes.latest
        if latest is None or issued_at > latest.latest:
            return _Judged.BY_TIME
        was_used_before = self.judged is _Judged.BY_TIME and self.version != changes.version
        return _Judged.OUTDATED if issued_at < latest.earliest or was_used_before else None


def _statement() -> sa.Select[*tuple[Any, ...]]:
    """What is known of the caller and of the organization, in one row a known change."""
    organization_id = sa.bindparam("organization_id", type_=sa.String)
    subject = sa.bindparam("subject", type_=sa.String)
    here = sa.select(organization_id.label("organization_id"), subject.label("subject")).subquery()
    return (
        sa.select(
            Organization.name.label("organization_name"),
            sa.func.coalesce(User.name, ApiClient.name).label("name"),
            User.username,
            User.email,
            *CHANGE_COLUMNS,
            PendingChange.touches(here.c.organization_id, here.c.subject).label("is_changing"),
        )
        .select_from(here)
        .outerjoin(Organization, Organization.id == here.c.organization_id)
        .outerjoin(User, User.id == here.c.subject)
        .outerjoin(
            ApiClient,
            sa.and_(
                ApiClient.organization_id == here.c.organization_id,
                ApiClient.client_id == here.c.subject,
            ),
        )
        .outerjoin(MembershipChange, MembershipChange.touches(here.c.organization_id, here.c.subject))
    )


_KNOWN: Final = _statement()


class BearerTokens:
    """Turns a token into a caller, or into a tenant.

    ``get_verifier`` gives the issuer's verifier. Without ``management`` nobody can be asked, and a token that
    may be older than a change is rejected.
    """

    def __init__(
        self,
        work: UnitOfWork,
        get_verifier: Callable[[], Awaitable[TokenVerifier]],
        *,
        api_resource: str,
        management: ManagementClient | None = None,
    ) -> None:
        self._work = work
        self._get_verifier = get_verifier
        self._api_resource = api_resource
        self._management = management
        self._remembered: OrderedDict[bytes, _Remembered] = OrderedDict()

    async def get_principal(self, token: str) -> tuple[Principal, BearerToken]:
        """Return the caller, outside any organization. Raises :class:`InvalidToken`."""
        verified = await self.verify(token)
        row, _version = await self._read_known(token, verified)
        return _principal(verified, row), verified

    async def get_tenant(self, token: str, organization_id: str) -> Tenant:
        """Return the organization for the holder of a token.

        Raises :class:`InvalidToken`; :class:`NotFound` when the token is for another organization, whether
        this one exists or not.
        """
        verified = await self.verify(token)
        if verified.organization_id is None:
            raise InvalidToken("The token names no organization: ask Logto for it with organization_id.")
        if verified.organization_id != organization_id:
            raise NotFound("There is no such organization, or the token is not for it.")
        row, version = await self._read_known(token, verified)
        return Tenant(
            organization_id=organization_id,
            organization_name=row.organization_name or organization_id,
            principal=_principal(verified, row),
            role_names=frozenset(),
            granted=frozenset(
                permission
                for permission in known_permissions(verified.scopes)
                if permission.carrier is verified.carrier
            ),
            carriers=frozenset({verified.carrier}),
            read_at=utc_now(),
            membership_version=version,
        )

    async def verify(self, token: str) -> BearerToken:
        """The token's claims, checked by signature once and remembered until it expires.

        Raises :class:`InvalidToken`, whose text never contains the token.
        """
        verified = self.find_verified(token)
        if verified is None:
            verified = await self._verify(token)
            self._remembered.setdefault(_digest(token), _Remembered(verified))
            if len(self._remembered) > _MOST_REMEMBERED:
                self._remembered.popitem(last=False)
        return verified

    def find_verified(self, token: str) -> BearerToken | None:
        """The claims of a token that was verified before and has not expired; None for every other."""
        remembered = self._remembered.get(key := _digest(token))
        if remembered is None or remembered.token.expires_at + LEEWAY <= time.time():
            return None
        self._remembered.move_to_end(key)
        return remembered.token

    async def may_be_genuine(self, token: str) -> bool:
        """Whether a token's signature is worth checking: all else about it is right, as far as it says."""
        verifier = await self._get_verifier()
        try:
            return verifier.may_be_genuine(token, audience=self._audience_of(token)[1])
        except TokenRejected:
            return False

    async def _verify(self, token: str) -> BearerToken:
        verifier = await self._get_verifier()
        try:
            carrier, audience = self._audience_of(token)
            claims = await verifier.verify_access_token(token, audience=audience)
            return _as_bearer(claims, carrier)
        except TokenRejected as rejected:
            log.info("bearer token rejected", reason=str(rejected))
            raise InvalidToken(f"The token is not accepted: {rejected}.") from None

    def _audience_of(self, token: str) -> tuple[Carrier, str]:
        """Which of our two audiences the token claims to be for; whether it is, its signature tells."""
        if len(token) > _LONGEST:
            raise TokenRejected("too long")
        audience = decode_unverified(token).get("aud")
        if audience == self._api_resource:
            return Carrier.API_TOKEN, audience
        if isinstance(audience, str) and audience.startswith(ORGANIZATION_AUDIENCE):
            return Carrier.ORGANIZATION_TOKEN, audience
        raise TokenRejected("not issued for this API")

    async def _read_known(self, token: str, verified: BearerToken) -> tuple[sa.Row[Any], int]:
        """What is known of the caller, and the version of the changes that the token is newer than."""
        organization_id = verified.organization_id or NOWHERE
        values = {"organization_id": organization_id, "subject": verified.subject}
        async with self._work.reading(organization_id) as db:
            rows = (await db.execute(_KNOWN, values)).all()
        changes = as_changes(rows)
        remembered = self._remembered.setdefault(_digest(token), _Remembered(verified))
        if not await self._is_current(remembered, changes, is_changing=rows[0].is_changing):
            raise InvalidToken("The membership changed after the token was issued: fetch a new one.")
        return rows[0], changes.version

    async def _is_current(self, remembered: _Remembered, changes: KnownChanges, *, is_changing: bool) -> bool:
        """Whether the token was issued after all known changes of its membership.

        While a change ``is_changing`` the membership, Logto may carry it out at any moment: it is asked at
        every request, and its answer counts for that request only.
        """
        if remembered.judged is _Judged.OUTDATED:
            return False
        is_known = remembered.judged is not None and remembered.version == changes.version
        if is_known and not is_changing:
            return True
        judged = remembered.compare(changes)
        if is_changing and judged is not _Judged.OUTDATED:  # in doubt it is older: the change may be done
            return judged is _Judged.BY_TIME and await self._holds_now(remembered.token)
        if judged is None:
            judged = _Judged.BY_LOGTO if await self._holds_now(remembered.token) else _Judged.OUTDATED
        remembered.judged, remembered.version = judged, changes.version
        return judged is not _Judged.OUTDATED

    async def _holds_now(self, token: BearerToken) -> bool:
        if self._management is None:
            return False
        known = {item.value for item in known_permissions(token.scopes) if item.carrier is token.carrier}
        return await holds_now(
            self._management,
            Claimed(token.subject, token.is_machine, token.organization_id, token.carrier, frozenset(known)),
        )


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _as_bearer(claims: dict[str, Any], carrier: Carrier) -> BearerToken:
    organization_id = claims.get("organization_id")
    if carrier is Carrier.ORGANIZATION_TOKEN:
        named = str(claims["aud"]).removeprefix(ORGANIZATION_AUDIENCE)
        if not is_id(named):
            raise TokenRejected("its audience names no organization")
        if organization_id not in (None, named):  # a script for custom claims can write it (Logto 1.42)
            raise TokenRejected("it names two organizations")
        organization_id = named
    return BearerToken(
        subject=claims["sub"],
        client_id=claims.get("client_id") or "",
        carrier=carrier,
        organization_id=organization_id or None,
        scopes=scopes_of(claims),
        issued_at=int(claims["iat"]),
        expires_at=int(claims["exp"]),
    )


def _principal(verified: BearerToken, row: sa.Row[Any]) -> Principal:
    return Principal(
        subject=verified.subject,
        name=row.name,
        username=row.username,
        email=row.email,
        is_machine=verified.is_machine,
        client_id=verified.client_id,
    )
