"""What a lesson can do while it is played: fetch tokens, call our API, and arrange the learner's ground.

Everything is confined to the ground: the organizations are the learner's own, and so are the role-play
members.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from saas_app.audit.recorder import Action, Target
from saas_app.changes.organization_change import Systems
from saas_app.errors import LogtoUnavailable, RateLimited
from saas_app.identity.logto_client import LogtoProvider
from saas_app.identity.machine_credentials import fetch_machine_token
from saas_app.identity.standing import Workroom
from saas_app.identity.token_verifier import TokenVerifier
from saas_app.lab import role_changes
from saas_app.lab.evidence import ApiRequest
from saas_app.lab.holders import Actor, Fetched, Learner, fetching
from saas_app.lab.role_play import RolePlay
from saas_app.lab.values import KIM, ROSA, SAM, Ground, GroundLost, NotYet, Place
from saas_app.logto import ManagementClient
from saas_app.models import EVERYONE
from saas_app.rbac.permissions import Carrier, Role, known_permissions
from saas_app.rbac.policy import AccessFacts
from saas_app.text.translation import Sentence, _
from saas_app.text.visible import isolated

__all__ = ["Actor", "Fetched", "Learner", "Read", "Stage"]

Body = Mapping[str, Any] | None
Read = Callable[[str, str, Body], Awaitable[tuple[int, Any]]]
"""Sends a request to our own API: a path, a bearer token, and the JSON of a POST or None for a GET.

Returns the status and the JSON.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """The learner's ground with everything a lesson may do there."""

    ground: Ground
    learner: Learner
    systems: Systems
    role_play: RolePlay
    provider: LogtoProvider
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

    async def call(
        self, path: str, token: str, label: Sentence, *, title: Sentence | None = None, body: Body = None
    ) -> ApiRequest:
        """Send a GET to our JSON API with a bearer token, or a POST with a body.

        ``label`` says which token that is. ``title`` tells requests apart that look the same. An answer that
        decides nothing is no evidence: raises :class:`RateLimited` or :class:`LogtoUnavailable`.
        """
        status, answer = await self.read(path, token, body)
        if status == 429 or status >= 500:
            error = RateLimited if status == 429 else LogtoUnavailable
            raise error(
                _(
                    "Workroom’s API could not answer a request of this lesson (status %(status)s). Try again "
                    "in a minute.",
                    status=status,
                )
            )
        return ApiRequest("GET" if body is None else "POST", path, label, status, answer, title, body)

    async def create_project(
        self, place: Place, token: str, label: Sentence, name: str, *, title: Sentence | None = None
    ) -> ApiRequest:
        """Send a POST to our JSON API that creates a project, as :meth:`call` does."""
        path = f"/api/v1/organizations/{place.id}/projects"
        return await self.call(path, token, label, title=title, body={"name": name})

    async def require_ground(self) -> None:
        """Raise :class:`GroundLost` unless the learner has their roles in the workshop and in the studio.

        In the product, learners can delete their workshop, leave an organization, or change their own roles.
        A second factor that a lesson could not stop requiring is switched off, so that everyone can work.
        """
        *roles, studio = await asyncio.gather(
            self.management.find_member_roles(self.workshop.id, self.ground.subject),
            self.management.find_member_roles(self.studio.id, self.ground.subject),
            self.management.find_organization(self.studio.id),
        )
        needed = ((self.workshop, Role.ADMIN), (self.studio, Role.VIEWER))
        for (place, role), held in zip(needed, roles, strict=True):
            if role.value not in (held or ()):
                raise GroundLost(
                    _(
                        "This lesson needs you as %(role)s of %(organization)s, which you are no longer. "
                        "Reset the lab: it deletes your practice organizations and makes new ones.",
                        role=role.value,
                        organization=isolated(place.name),
                    )
                )
        if studio is not None and studio.is_mfa_required:
            await self.require_mfa(self.studio, False)

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

    async def fetch_for_machine(
        self, client_id: str, place: Place, carrier: Carrier, scopes: Collection[str]
    ) -> Fetched:
        """Fetch a token with the credentials of a machine application. Its secret is read from Logto."""
        secret, *_others = await self.management.list_secrets(client_id)
        resource = self.api_resource if carrier is Carrier.API_TOKEN else None
        return await fetching(
            lambda: fetch_machine_token(
                self.provider,
                client_id,
                secret.value,
                organization_id=place.id,
                resource=resource,
                scopes=scopes,
            ),
            place,
        )

    async def roles_of(self, actor: Actor, place: Place) -> frozenset[str] | None:
        """Return the roles that Logto knows for a role-play member, or None if they are no member."""
        return await self.management.find_member_roles(place.id, actor.player.user_id)

    async def set_role(self, actor: Actor, place: Place, role: Role) -> None:
        """Make a role-play member hold exactly this role, without an end. Nothing happens if they do."""
        await role_changes.set_role(self.systems, actor.player, place, role, self.ground.subject)

    async def ends_of(self, actor: Actor, place: Place) -> Mapping[str, datetime]:
        """Return when the roles of a role-play member end, by their names. Some may have ended."""
        return await role_changes.ends_of(self.systems, actor.player, place)

    def ended(self, actor: Actor, place: Place, role: Role) -> AbstractAsyncContextManager[None]:
        """Let a role that ends later end now. During the block, Workroom's job does not take it away."""
        return role_changes.ended(self.systems, actor.player, place, role, self.ground.subject)

    async def take_away(self, actor: Actor, place: Place, role: Role) -> None:
        """Take a role that has ended away at Logto, as Workroom's job does."""
        await role_changes.take_away(self.systems, actor.player, place, role)

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

    def facts(
        self, name: str, place: Place, fetched: Fetched, carrier: Carrier, *, is_bearer: bool = False
    ) -> AccessFacts:
        """Return the facts that the policy decides by, for somebody with one token.

        ``is_bearer``: a program sends the token, which names no role.
        """
        return AccessFacts(
            subject=name,
            organization_name=place.name,
            role_names=None if is_bearer else fetched.roles,
            granted=frozenset(
                permission
                for permission in known_permissions(fetched.scopes)
                if permission.carrier is carrier
            ),
            carriers=frozenset({carrier}) if fetched.token else frozenset(),
        )
