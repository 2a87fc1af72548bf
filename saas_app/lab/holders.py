"""Those who hold a refresh token on a stage: the learner and the role-play members, and what they fetch."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

from saas_app.errors import AppError, LogtoUnavailable
from saas_app.identity.claims import organization_roles
from saas_app.identity.logto_messages import GrantedTokens, LogtoRefusal
from saas_app.identity.principal import SessionPrincipal
from saas_app.identity.token_refresh import TokenRefresher
from saas_app.identity.wire import Exchange, recorded
from saas_app.lab.evidence import ApiRequest, TokenShown
from saas_app.lab.role_play import RolePlay
from saas_app.lab.values import Place, Player, StartedOver
from saas_app.rbac.permissions import Carrier
from saas_app.text.translation import _
from saas_app.text.visible import isolated

_PATIENCE: Final = 20.0  # seconds; a learner would rather wait than fail


@dataclass(frozen=True, slots=True)
class Fetched:
    """What the token endpoint returned. ``token`` is None if Logto refused.

    ``roles`` are the roles in the organization by the ID token that came with it.
    """

    exchange: Exchange
    token: str | None = field(repr=False)
    refusal: LogtoRefusal | None = None
    roles: frozenset[str] = frozenset()

    @property
    def shown(self) -> TokenShown | None:
        """The token's header and claims, without its signature."""
        return None if self.token is None else TokenShown.of(self.token)

    @property
    def scopes(self) -> frozenset[str]:
        """The scopes of the token: empty if there is none."""
        return self.shown.scopes if self.shown else frozenset()

    def get_token(self) -> str:
        """Return the token. Raises :class:`LogtoUnavailable` with Logto's reason if it refused."""
        if self.token is None:
            raise LogtoUnavailable(
                _(
                    "Logto did not issue a token that this lesson needs (%(error)s). Try again. If it stays "
                    "like this, reset the lab.",
                    error=self.refusal.error if self.refusal else "",
                )
            )
        return self.token


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """A round trip to Logto for a new grant, with the exchange of the code that the browser brought back.

    ``was_silent`` is False if the session at Logto had ended, so that the member was signed in again.
    """

    was_silent: bool
    exchange: Exchange


class Holder(Protocol):
    """A person with a refresh token: the learner, or a role-play member."""

    async def fetch(self, place: Place | None, carrier: Carrier | None) -> Fetched:
        """Fetch a token for an organization, or for none. Without a carrier, it is opaque outside one."""
        ...


@dataclass(frozen=True, slots=True)
class Learner:
    """The learner's own session. Fetching changes nothing that the product has cached."""

    principal: SessionPrincipal
    refresher: TokenRefresher
    api_resource: str

    async def fetch(self, place: Place | None, carrier: Carrier | None) -> Fetched:
        """Fetch a token with the session's refresh token. Raises :class:`LogtoUnavailable`."""
        return await fetching(
            lambda: self.refresher.exchange(
                self.principal.session_id,
                place.id if place else None,
                self.api_resource if carrier is Carrier.API_TOKEN else None,
                patience=_PATIENCE,
            ),
            place,
        )


@dataclass(frozen=True, slots=True)
class Actor:
    """A role-play member, whom the lab has signed in at Logto."""

    player: Player
    role_play: RolePlay
    api_resource: str

    async def fetch(self, place: Place | None, carrier: Carrier | None) -> Fetched:
        """Fetch a token with the member's refresh token. Raises :class:`LogtoUnavailable`."""
        return await fetching(
            lambda: self.role_play.refresh(
                self.player.key,
                place.id if place else None,
                self.api_resource if carrier is Carrier.API_TOKEN else None,
            ),
            place,
        )

    async def sign_in(self) -> None:
        """Sign the member in again, with a new grant."""
        await self.role_play.sign_in(self.player.key)

    async def round_trip(self) -> RoundTrip:
        """Make the silent round trip to Logto that gives the member a new grant."""
        with recorded() as exchanges:
            was_silent = await self.role_play.renew(self.player.key)
        return RoundTrip(was_silent, _last(exchanges))

    @property
    def grant(self) -> str | None:
        """A name for the member's grant at Logto, which changes with each new one."""
        return self.role_play.grant(self.player.key)

    def require_grant(self, grant: str | None) -> None:
        """Raise :class:`StartedOver` if the member has got another grant since a lesson prepared this one."""
        if self.grant != grant:
            raise StartedOver(
                _(
                    "%(name)s was signed in again after your prediction, perhaps by another lesson. So this "
                    "lesson has started over: do its task once more.",
                    name=isolated(self.player.name),
                )
            )

    async def user_info(self, token: str) -> ApiRequest:
        """Ask Logto's userinfo endpoint about the holder of an opaque token."""
        return await self.role_play.user_info(token)

    async def keep(self, name: str, token: str) -> None:
        """Store a token, encrypted, for a later step of the lesson."""
        await self.role_play.keep(self.player.key, name, token)

    async def kept(self, name: str) -> str | None:
        """Return a token that :meth:`keep` stored."""
        return await self.role_play.kept(self.player.key, name)


async def fetching(call: Callable[[], Awaitable[GrantedTokens]], place: Place | None) -> Fetched:
    """Make one exchange and keep what went over the wire. A refusal is a result, an outage is an error."""
    with recorded() as exchanges:
        try:
            granted = await call()
        except LogtoRefusal as refusal:
            return Fetched(_last(exchanges), None, refusal)
    roles = organization_roles(granted.id_claims or {})
    return Fetched(
        _last(exchanges),
        granted.access_token,
        roles=roles.get(place.id, frozenset()) if place else frozenset(),
    )


def _last(exchanges: list[Exchange]) -> Exchange:
    if not exchanges:
        raise AppError  # the call was shared with another one, which cannot happen: each has its own turn
    return exchanges[-1]
