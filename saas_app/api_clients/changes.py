"""Creates, rotates and revokes API clients. Logto is asked about each rule at the moment of the change.

* Nobody creates a client, or gets a new secret of one, with permissions that they lack themselves.
* Only a client that was created here and belongs to no other organization is rotated or deleted. Any other
  client is removed from this organization, and keeps working in the others.
* Tokens of a revoked client are rejected from the moment its revocation begins.

A secret is returned to the caller and not stored; its page shows it for a minute
(:mod:`saas_app.identity.shown_secrets`).
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from functools import partial

from saas_app.api_clients import queries
from saas_app.api_clients.applications import (
    add_to_organization,
    create_application,
    delete_unfinished,
    replace_secrets,
)
from saas_app.api_clients.service import get_client
from saas_app.api_clients.values import MAX_CLIENTS, Client, NewSecret, WantedClient
from saas_app.audit.recorder import Action, Target
from saas_app.changes.organization_change import MemberChange
from saas_app.db.base import utc_now
from saas_app.db.session import WritingSession
from saas_app.errors import Conflict, Invalid, LogtoUnavailable
from saas_app.logto import ManagementClient, ManagementError
from saas_app.rbac.permissions import Role, RoleType
from saas_app.text.translation import Sentence, _
from saas_app.text.visible import isolated


class NameTaken(Invalid):
    """Another client of the organization has this name."""

    status, code, title = 409, "name-taken", _("This name is taken")


class TooManyClients(Conflict):
    """The organization has the maximum number of API clients."""

    code, title = "too-many-api-clients", _("Too many API clients")


class NotOnlyHere(Conflict):
    """The client belongs to other organizations too, so its secret is not changed here."""

    code, title = "api-client-not-only-here", _("The secret cannot be rotated here")


async def create(change: MemberChange, wanted: WantedClient) -> NewSecret:
    """Create a client.

    Raises :class:`AssignmentDenied`, :class:`Invalid` for the name of another client,
    :class:`TooManyClients`, :class:`NotCreated`, :class:`AccessChanged`, :class:`SignInRequired` and
    :class:`LogtoUnavailable`.
    """
    name, expires_at = wanted.name, _end_of(wanted.days)
    change.caller.require_assignable(wanted.role_names)
    async with change.alone() as turn:
        role_ids = await _list_role_ids(turn.management, wanted.roles)
        await _require_room(turn, name)
        await turn.count()  # before anything is created that would have to be deleted
        application = await create_application(turn, name, wanted.description)
        after = {"roles": sorted(wanted.role_names), **_expiring(expires_at)}
        event = turn.event(Action.API_CLIENT_CREATE, _target(application.id, name), after=after)

        async def note_client(db: WritingSession) -> None:
            queries.add_client(db, application.id, name, turn.caller.principal.subject, utc_now())

        try:
            secret = await turn.carry_out(
                event,
                lambda: add_to_organization(turn, application.id, role_ids, expires_at),
                also=note_client,
                is_counted=True,
            )
        except (ManagementError, LogtoUnavailable):
            raise
        except BaseException:  # the caller disconnected or lost the permission, or our own database failed
            await delete_unfinished(turn.management, application.id)
            raise
    return NewSecret(application.id, name, secret, wanted.role_names, expires_at)


async def rotate(change: MemberChange, client_id: str, days: int | None) -> NewSecret:
    """Give a client a new secret, then delete the others. Its current tokens work until they expire.

    The secret works for ``days``, or with None until it is rotated or the client is revoked.

    Raises :class:`AssignmentDenied`, :class:`ClientNotFound`, :class:`NotOnlyHere`, :class:`NotRotated` and
    :class:`LogtoUnavailable`.
    """
    expires_at = _end_of(days)
    async with change.alone() as turn:
        client = await _find(turn, client_id)
        require_only_here(client)
        change.caller.require_assignable(client.role_names)
        after = _expiring(expires_at) or None
        secret, old_left = await turn.carry_out(
            turn.event(Action.API_CLIENT_ROTATE, _target(client.id, client.name), after=after),
            lambda: replace_secrets(turn, client.id, expires_at),
            also=lambda db: queries.note_rotation(db, client.id, utc_now()),
        )
    return NewSecret(client.id, client.name, secret.value, client.role_names, expires_at, old_left)


async def revoke(change: MemberChange, client_id: str) -> Client:
    """Delete a client, or remove it from the organization if others use it too.

    Raises :class:`ClientNotFound` and :class:`LogtoUnavailable`.
    """
    async with change.alone() as turn:
        client = await _find(turn, client_id)
        if client.is_only_here:
            action, call = Action.API_CLIENT_REVOKE, partial(turn.management.delete_application, client.id)
        else:
            remove = partial(turn.management.remove_machine, turn.organization_id, client.id)
            action, call = Action.API_CLIENT_REMOVE, remove
        event = turn.event(action, _target(client.id, client.name))
        await turn.carry_out(event, call, subjects=[client.id])
    return client


def require_only_here(client: Client) -> None:
    """Raise :class:`NotOnlyHere` if a new secret would affect other organizations."""
    if not client.is_only_here:
        raise NotOnlyHere(_why_not_rotated(client))


def _end_of(days: int | None) -> datetime | None:
    return None if days is None else utc_now() + timedelta(days=days)


def _expiring(expires_at: datetime | None) -> dict[str, str]:
    return {} if expires_at is None else {"secret_expires_at": expires_at.isoformat(timespec="seconds")}


async def _list_role_ids(management: ManagementClient, wanted: Collection[Role]) -> list[str]:
    found = {
        role.name: role.id
        for role in await management.list_organization_roles()
        if role.type == RoleType.MACHINE.value
    }
    missing = next((role.value for role in wanted if role.value not in found), None)
    if missing is not None:
        raise Conflict(
            _(
                "The %(role)s role for API clients does not exist in Logto. The operator can fix this with "
                "'saas-app provision'.",
                role=missing,
            )
        )
    return [found[role.value] for role in wanted]


async def _require_room(change: MemberChange, name: str) -> None:
    """Check the name and the number of clients. Names are unique, so a form sent twice creates one client."""
    tenant = change.caller
    found = await change.management.list_machines_page(change.organization_id, page=1, page_size=MAX_CLIENTS)
    if any(machine.name.casefold() == name.casefold() for machine in found.items):
        raise NameTaken(
            _("An API client with this name already exists."),
            fields={
                "name": _(
                    "%(organization)s already has an API client with this name.",
                    organization=isolated(tenant.organization_name),
                )
            },
        )
    if found.total >= MAX_CLIENTS:
        raise TooManyClients(
            _(
                "%(organization)s has %(number)s API clients. The limit is %(limit)s. Revoke clients that "
                "are no longer used.",
                organization=isolated(tenant.organization_name),
                number=found.total,
                limit=MAX_CLIENTS,
            )
        )


async def _find(change: MemberChange, client_id: str) -> Client:
    async with change.work.reading(change.organization_id) as db:
        return await get_client(db, change.management, change.caller, client_id)


def _target(client_id: str, name: str) -> Target:
    return Target("api client", client_id, name)


def _why_not_rotated(client: Client) -> Sentence:
    if client.is_elsewhere:
        return _(
            "%(client)s also belongs to other organizations, and its secret gives access to them too. The "
            "operator can change it in Logto Console.",
            client=isolated(client.name),
        )
    return _(
        "%(client)s was added in Logto Console, where the operator can change its secret. Here, you can only "
        "remove it from the organization.",
        client=isolated(client.name),
    )
