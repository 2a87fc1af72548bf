"""What a lesson can do while it is played: fetch tokens, call our API, and arrange the learner's ground.

Everything is confined to the ground: the organizations are the learner's own, and so are the role-play
members.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from saas_app.audit.recorder import Action, Target
from saas_app.changes.organization_change import Systems
from saas_app.errors import AppError, LogtoUnavailable
from saas_app.identity.claims import organization_roles
from saas_app.identity.logto_messages import GrantedTokens, LogtoRefusal
from saas_app.identity.principal import SessionPrincipal
from saas_app.identity.standing import Workroom
from saas_app.identity.token_refresh import TokenRefresher
from saas_app.identity.token_verifier import TokenVerifier
from saas_app.identity.wire import Exchange, recorded
from saas_app.lab.evidence import ApiRequest, TokenShown
from saas_app.lab.role_play import RolePlay
from saas_app.lab.values import KIM, ROSA, SAM, Ground, GroundLost, NotYet, Place, Player, StartedOver
from saas_app.logto import ManagementClient
from saas_app.models import EVERYONE
from saas_app.rbac.permissions import Carrier, Role, known_permissions
from saas_app.rbac.policy import AccessFacts
from saas_app.text.translation import Sentence, _
from saas_app.text.visible import isolated

_PATIENCE: Final = 20.0  # seconds; a learner would rather wait than fail

Read = Callable[[str, str], Awaitable[tuple[int, Any]]]
"""Sends a GET for a path, with a bearer token, to our own API. Returns the status and the JSON."""


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

    async def round_trip(self) -> bool:
        """Make the silent round trip to Logto that gives the member a new grant.

        Returns False if the session at Logto had ended, so that the member was signed in again.
        """
        return await self.role_play.renew(self.player.key)

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """The learner's ground with everything a lesson may do there."""

    ground: Ground
    learner: Learner
    systems: Systems
    role_play: RolePlay
    verifier: TokenVerifier
    api_resource: str
    read: Read

    @property
    def workshop(self) -> Place:
        """The organization that the learner runs as an admin."""
        return self.ground.workshop

    @property
    def studio(self) -> Place:
        """The organization in which the learner is a viewer."""
        return self.ground.studio

    @property
    def management(self) -> ManagementClient:
        """Logto's Management API, for what the Console would do."""
        return self.systems.management

    @property
    def rosa(self) -> Actor:
        """The admin of the studio."""
        return self._actor(ROSA)

    @property
    def sam(self) -> Actor:
        """The colleague in the workshop."""
        return self._actor(SAM)

    @property
    def kim(self) -> Actor:
        """A member of both organizations."""
        return self._actor(KIM)

    def _actor(self, key: str) -> Actor:
        return Actor(self.ground.players[key], self.role_play, self.api_resource)

    async def call(self, path: str, token: str, label: Sentence) -> ApiRequest:
        """Send a GET to our JSON API with a bearer token. ``label`` says which token that is."""
        status, answer = await self.read(path, token)
        return ApiRequest("GET", path, label, status, answer)

    async def require_ground(self) -> None:
        """Raise :class:`GroundLost` unless the learner has their roles in the workshop and in the studio.

        In the product, learners can delete their workshop, leave an organization, or change their own roles.
        """
        places = {self.workshop: Role.ADMIN, self.studio: Role.VIEWER}
        found = await asyncio.gather(
            *(self.management.find_member_roles(place.id, self.ground.subject) for place in places)
        )
        for (place, role), held in zip(places.items(), found, strict=True):
            if role.value not in (held or ()):
                raise GroundLost(
                    _(
                        "This lesson needs you as %(role)s of %(organization)s, which you are no longer. "
                        "Reset the lab: it deletes your practice organizations and makes new ones.",
                        role=role.value,
                        organization=isolated(place.name),
                    )
                )

    async def fetch_own(self, place: Place) -> Fetched:
        """Fetch the learner's API-resource token. Raises :class:`NotYet` if their grant is too old for it."""
        fetched = await self.learner.fetch(place, Carrier.API_TOKEN)
        if not fetched.scopes:
            raise NotYet(
                _(
                    "You signed in here before your practice organizations were made, so your tokens do not "
                    "cover them yet. Open “Projects” in your workshop once, then come back."
                )
            )
        return fetched

    async def roles_of(self, actor: Actor, place: Place) -> frozenset[str] | None:
        """Return the roles that Logto knows for a role-play member, or None if they are no member."""
        return await self.management.find_member_roles(place.id, actor.player.user_id)

    async def set_role(self, actor: Actor, place: Place, role: Role) -> None:
        """Make a role-play member hold exactly this role, as a member. Nothing happens if they do."""
        held = await self.roles_of(actor, place)
        if held == frozenset({role.value}):
            return
        player = actor.player

        async def call() -> None:
            await self.management.add_members(place.id, [player.user_id])
            await self.management.replace_roles(place.id, player.user_id, [role.value])

        change = self.systems.by(Workroom(place.id))
        async with change.alone() as turn:
            target = Target("member", player.user_id, player.name)
            before, after = {"roles": sorted(held or ())}, {"roles": [role.value]}
            event = turn.event(Action.MEMBER_CHANGE_ROLES, target, before, after)
            await turn.carry_out(event, call, subjects=[player.user_id])

    async def require_mfa(self, place: Place, wanted: bool) -> None:
        """Require a second factor of an organization's members, or stop requiring it."""
        change = self.systems.by(Workroom(place.id))
        async with change.alone() as turn:
            target = Target("organization", place.id, place.name)
            event = turn.event(
                Action.ORGANIZATION_UPDATE, target, {"mfa_required": not wanted}, {"mfa_required": wanted}
            )
            await turn.carry_out(
                event,
                lambda: self.management.update_organization(place.id, is_mfa_required=wanted),
                subjects=[EVERYONE],
            )

    def facts(self, name: str, place: Place, fetched: Fetched, carriers: Collection[Carrier]) -> AccessFacts:
        """Return the facts that the policy decides by, for a person with one token."""
        return AccessFacts(
            subject=name,
            organization_name=place.name,
            role_names=fetched.roles,
            granted=frozenset(
                permission
                for permission in known_permissions(fetched.scopes)
                if permission.carrier in carriers
            ),
            carriers=frozenset(carriers) if fetched.token else frozenset(),
        )


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
