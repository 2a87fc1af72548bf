"""Bearer tokens: a program's API-resource or organization token, as a caller and as a :class:`Tenant`.

Two audiences are accepted, and nothing else: our API resource, with ``organization_id`` where a route
belongs to an organization, and Logto's organization audience. Which permission needs which is in the
registry. A token older than the last known change of the membership answers no more, like a cached one.
"""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import sqlalchemy as sa
import structlog

from saas_app.db.unit_of_work import UnitOfWork
from saas_app.errors import InvalidToken, NotFound
from saas_app.identity.claims import ORGANIZATION_AUDIENCE, decode_unverified, is_id
from saas_app.identity.principal import Principal
from saas_app.identity.tenant import Tenant
from saas_app.identity.token_verifier import TokenRejected, TokenVerifier
from saas_app.models import ApiClient, MembershipChange, Organization, User
from saas_app.rbac.permissions import Carrier, known_permissions

log = structlog.get_logger(__name__)

_LONGEST: Final = 16_384  # characters; a JWT of an API is a tenth of that
_REMEMBERED: Final = 4_096
_NOWHERE: Final = ""  # the organization of a token that names none: nothing belongs to it


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
            MembershipChange.changed_at,
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
    """Turns a token into a caller, or into a tenant. ``get_verifier`` gives the issuer's verifier."""

    def __init__(
        self, work: UnitOfWork, get_verifier: Callable[[], Awaitable[TokenVerifier]], *, api_resource: str
    ) -> None:
        self._work = work
        self._get_verifier = get_verifier
        self._api_resource = api_resource
        self._verified: OrderedDict[bytes, BearerToken] = OrderedDict()

    async def get_principal(self, token: str) -> tuple[Principal, BearerToken]:
        """Who calls, outside any organization. Raises :class:`InvalidToken`."""
        verified = await self.verify(token)
        rows = await self._read_known(verified, verified.organization_id or _NOWHERE)
        return _principal(verified, rows[0]), verified

    async def get_tenant(self, token: str, organization_id: str) -> Tenant:
        """The organization for who holds the token.

        Raises :class:`InvalidToken`; :class:`NotFound` when the token is for another organization, whether
        this one exists or not.
        """
        verified = await self.verify(token)
        if verified.organization_id is None:
            raise InvalidToken("The token names no organization: ask Logto for it with organization_id.")
        if verified.organization_id != organization_id:
            raise NotFound("There is no such organization, or the token is not for it.")
        rows = await self._read_known(verified, organization_id)
        return Tenant(
            organization_id=organization_id,
            organization_name=rows[0].organization_name or organization_id,
            principal=_principal(verified, rows[0]),
            role_names=frozenset(),
            granted=frozenset(
                permission
                for permission in known_permissions(verified.scopes)
                if permission.carrier is verified.carrier
            ),
            carriers=frozenset({verified.carrier}),
            read_at=datetime.fromtimestamp(verified.issued_at, UTC),
            changed_at=_last_change(rows),
        )

    async def verify(self, token: str) -> BearerToken:
        """The token's claims, checked by signature once and remembered until it expires.

        Raises :class:`InvalidToken`, whose text never contains the token.
        """
        verified = self.find_verified(token)
        if verified is None:
            verified = await self._verify(token)
            self._verified[_digest(token)] = verified
            if len(self._verified) > _REMEMBERED:
                self._verified.popitem(last=False)
        return verified

    def find_verified(self, token: str) -> BearerToken | None:
        """The claims of a token that was verified before and has not expired; None for every other."""
        verified = self._verified.get(key := _digest(token))
        if verified is None or verified.expires_at <= time.time():
            return None
        self._verified.move_to_end(key)
        return verified

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

    async def _read_known(self, verified: BearerToken, organization_id: str) -> list[sa.Row[Any]]:
        values = {"organization_id": organization_id, "subject": verified.subject}
        async with self._work.reading(organization_id) as db:
            rows = list((await db.execute(_KNOWN, values)).all())
        changed_at = _last_change(rows)
        # Logto's iat are whole seconds: of a token of the same second nobody knows which came first.
        if changed_at is not None and verified.issued_at < changed_at.timestamp():
            raise InvalidToken("The membership changed after the token was issued: fetch a new one.")
        return rows


def _last_change(rows: Sequence[sa.Row[Any]]) -> datetime | None:
    return max((row.changed_at for row in rows if row.changed_at), default=None)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _as_bearer(claims: dict[str, Any], carrier: Carrier) -> BearerToken:
    organization_id = claims.get("organization_id")
    if carrier is Carrier.ORGANIZATION_TOKEN:
        organization_id = str(claims["aud"]).removeprefix(ORGANIZATION_AUDIENCE)
        if not is_id(organization_id):
            raise TokenRejected("its audience names no organization")
    return BearerToken(
        subject=claims["sub"],
        client_id=claims.get("client_id") or "",
        carrier=carrier,
        organization_id=organization_id or None,
        scopes=frozenset((claims.get("scope") or "").split()),
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
