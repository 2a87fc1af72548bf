"""The rules of making, rotating and revoking machine clients, asked of Logto at the moment of the change.

* Nobody makes a client, or gets a new secret of one, that may do more than they may themselves.
* What Logto began and could not finish is taken back: no application without an organization stays behind.
* Only a client that was made here and belongs to no other organization is rotated or deleted; any other is
  taken out of this organization, and works on wherever else it belongs.
* Tokens of a revoked client are rejected from the moment its revocation begins.

A secret is handed to who asked for it and kept nowhere; its page shows it for a minute
(:mod:`saas_app.identity.shown_secrets`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from saas_app.api_clients import queries
from saas_app.api_clients.service import ROLE, Client, get_client
from saas_app.audit.changes import NothingChanged, OrganizationChange, Turn
from saas_app.audit.recorder import Action, Actor, AuditEntry, Target
from saas_app.db.base import new_uuid, utc_now
from saas_app.errors import Conflict, Invalid, LogtoUnavailable, SignInRequired
from saas_app.identity.standing import AccessChanged
from saas_app.identity.tenant import Tenant
from saas_app.logto import Application, ApplicationSecret, ManagementClient, ManagementError
from saas_app.text.visible import isolated

log = structlog.get_logger(__name__)

MOST_CLIENTS: Final = 100
"""Machines an organization may have: each is an application of the whole Logto tenant."""

_MARK: Final = "workroom"


class NameTaken(Invalid):
    """Another client of the organization is called so."""

    status, code, title = 409, "name-taken", "That name is taken"


class TooManyClients(Conflict):
    """The organization has as many machines as it may."""

    code, title = "too-many-api-clients", "Too many API clients"


class NotOnlyHere(Conflict):
    """The client is not this organization's alone, so its secret is not changed here."""

    code, title = "api-client-not-only-here", "Its secret cannot be changed here"


class NotMade(LogtoUnavailable, NothingChanged):
    """Logto failed half way, and what it had begun was taken back."""

    title = "No API client was created"


class NotRotated(LogtoUnavailable, NothingChanged):
    """Logto failed before there was a new secret."""

    title = "The secret was not changed"


@dataclass(frozen=True, slots=True)
class NewSecret:
    """A client with a secret that is shown once. ``old_left``: old secrets that Logto did not delete."""

    client_id: str
    name: str
    secret: str = field(repr=False)
    old_left: int = 0


async def create(change: OrganizationChange, name: str) -> NewSecret:
    """Make a client of this name with the machine role.

    Raises :class:`AssignmentDenied`, :class:`Invalid` for a name that another has, :class:`TooManyClients`,
    :class:`NotMade`, :class:`AccessChanged`, :class:`SignInRequired` and what keeps Logto from answering.
    """
    management, tenant = change.management, change.tenant
    tenant.require_assignable([ROLE.value])
    async with change.alone() as turn:
        role_id = await _role_id(management)
        await _require_room(management, tenant, name)
        await turn.count()  # before anything is made that would have to be taken back
        application = await _make_application(management, tenant, name)
        entry = _entry(tenant, Action.API_CLIENT_CREATE, application.id, name, {"roles": [ROLE.value]})
        try:
            secret = await turn.carry_out(
                entry,
                lambda: _let_in(turn, management, application.id, role_id),
                also=lambda db: _note_client(db, tenant, application.id, name),
                is_counted=True,
            )
        except (ManagementError, LogtoUnavailable):
            raise
        except BaseException:  # the request is given up, its right is gone, or our own database fails
            await _take_back(management, application.id)
            raise
    return NewSecret(application.id, name, secret)


async def rotate(change: OrganizationChange, client_id: str) -> NewSecret:
    """Give a client a new secret, then delete the others. Tokens it has already work until they expire.

    Raises :class:`AssignmentDenied`, :class:`ClientNotFound`, :class:`NotOnlyHere`, :class:`NotRotated` and
    what keeps Logto from answering.
    """
    management, tenant = change.management, change.tenant
    tenant.require_assignable([ROLE.value])
    async with change.alone() as turn:
        client = await _find(change, client_id)
        require_only_here(client)
        secret, old_left = await turn.carry_out(
            _entry(tenant, Action.API_CLIENT_ROTATE, client.id, client.name),
            lambda: _replace_secrets(turn, management, client.id),
            also=lambda db: queries.note_rotation(db, client.id, utc_now()),
        )
    return NewSecret(client.id, client.name, secret.value, old_left)


async def revoke(change: OrganizationChange, client_id: str) -> Client:
    """Delete a client, or take one that is not ours alone out of the organization.

    Raises :class:`ClientNotFound` and what keeps Logto from answering.
    """
    management, tenant = change.management, change.tenant
    async with change.alone() as turn:
        client = await _find(change, client_id)
        if client.is_only_here:
            action, call = Action.API_CLIENT_REVOKE, partial(management.delete_application, client.id)
        else:
            remove = partial(management.remove_machine, tenant.organization_id, client.id)
            action, call = Action.API_CLIENT_REMOVE, remove
        entry = _entry(tenant, action, client.id, client.name)
        await turn.carry_out(entry, call, user_ids=[client.id])
    return client


def require_only_here(client: Client) -> None:
    """Raises :class:`NotOnlyHere` where a new secret would be for more than this organization."""
    if not client.is_only_here:
        raise NotOnlyHere(_why_not_rotated(client))


async def _role_id(management: ManagementClient) -> str:
    for role in await management.list_organization_roles():
        if role.name == ROLE.value and role.type == ROLE.type.value:
            return role.id
    raise Conflict(
        f"Logto does not know the role {ROLE.value} for machines. Whoever runs this application can mend it "
        "with 'saas-app provision'."
    )


async def _require_room(management: ManagementClient, tenant: Tenant, name: str) -> None:
    """Names tell clients apart, and a form that is sent twice by mistake makes one client."""
    found = await management.list_machines_page(tenant.organization_id, page=1, page_size=MOST_CLIENTS)
    if any(machine.name.casefold() == name.casefold() for machine in found.items):
        raise NameTaken(
            "There is a client of this name already.",
            fields={"name": f"{isolated(tenant.organization_name)} has a client of this name already."},
        )
    if found.total >= MOST_CLIENTS:
        raise TooManyClients(
            f"{isolated(tenant.organization_name)} has {found.total} machine clients; {MOST_CLIENTS} are the "
            "most. Revoke those that are no longer used."
        )


async def _make_application(management: ManagementClient, tenant: Tenant, name: str) -> Application:
    """An application in no organization yet. When Logto's answer is lost, it is found by our mark."""
    mark = {"organizationId": tenant.organization_id, "request": str(new_uuid())}
    description = f"API client of {tenant.organization_name}, made in Workroom."
    try:
        return await management.create_machine(name, description, custom_data={_MARK: mark})
    except ManagementError:
        raise
    except BaseException as failure:  # also when the request is given up: nothing may stay behind
        called = await management.list_machines_called(name)
        made = next((found for found in called if found.custom_data.get(_MARK) == mark), None)
        if made is not None and isinstance(failure, LogtoUnavailable):
            return made
        if made is not None:
            await _take_back(management, made.id)
        if isinstance(failure, LogtoUnavailable):
            raise NotMade("Logto did not answer, and no client was created. Please try again.") from None
        raise


async def _let_in(turn: Turn, management: ManagementClient, client_id: str, role_id: str) -> str:
    """Let the new application belong to the organization, with its role; returns its secret.

    Who loses their right on the way gets no secret, and what was begun is taken back.
    """
    organization_id = turn.standing.organization_id
    try:
        await management.add_machine(organization_id, client_id)
        await turn.require_standing()
        await management.assign_machine_roles(organization_id, client_id, [role_id])
        (secret,) = await management.list_secrets(client_id)
        await turn.require_standing()
    except (ManagementError, AccessChanged, SignInRequired):
        await _take_back(management, client_id)
        raise
    except LogtoUnavailable:
        await _take_back(management, client_id)
        raise NotMade(
            "Logto stopped answering. What had been created was undone, and no client was created. "
            "Please try again."
        ) from None
    return secret.value


async def _take_back(management: ManagementClient, client_id: str) -> None:
    try:
        await management.delete_application(client_id)
    except (ManagementError, LogtoUnavailable) as failure:
        if isinstance(failure, ManagementError) and failure.status == 404:
            return  # taken back before
        log.warning("a machine application is left over in logto", client_id=client_id, why=str(failure))
        raise LogtoUnavailable(
            "Logto stopped answering while the client was created, and while that was undone. A client whose "
            "secret nobody has may be left: check the list in a moment, and revoke it there."
        ) from None


async def _replace_secrets(
    turn: Turn, management: ManagementClient, client_id: str
) -> tuple[ApplicationSecret, int]:
    """A new secret, and how many of the old ones are still there: whoever asked must see the new one.

    Who loses their right on the way gets none, and the old ones stay.
    """
    old = {secret.name for secret in await management.list_secrets(client_id)}
    await turn.require_standing()
    new = await _add_secret(management, client_id)
    try:
        await turn.require_standing()
    except (AccessChanged, SignInRequired):
        await management.delete_secret(client_id, new.name)
        raise
    failures = 0
    for name in old:
        try:
            await management.delete_secret(client_id, name)
        except (ManagementError, LogtoUnavailable) as failure:
            log.warning("an old secret was not deleted", client_id=client_id, why=str(failure))
            failures += 1
    return new, await _count_left(management, client_id, old, failures) if failures else 0


async def _count_left(management: ManagementClient, client_id: str, old: set[str], failures: int) -> int:
    """How many of the old secrets still work: a lost answer may have done it, somebody else may have."""
    try:
        return len(old & {secret.name for secret in await management.list_secrets(client_id)})
    except (ManagementError, LogtoUnavailable):
        return failures


async def _add_secret(management: ManagementClient, client_id: str) -> ApplicationSecret:
    """When Logto's answer is lost, the secret is found by its name."""
    name = f"workroom {new_uuid()}"
    try:
        return await management.create_secret(client_id, name)
    except LogtoUnavailable:
        for secret in await management.list_secrets(client_id):
            if secret.name == name:
                return secret
        raise NotRotated("Logto did not answer. The secret was not changed; please try again.") from None


async def _note_client(db: AsyncSession, tenant: Tenant, client_id: str, name: str) -> None:
    queries.add_client(db, client_id, name, tenant.principal.subject, utc_now())


async def _find(change: OrganizationChange, client_id: str) -> Client:
    async with change.work.reading(change.organization_id) as db:
        return await get_client(db, change.management, change.tenant, client_id)


def _why_not_rotated(client: Client) -> str:
    if client.is_elsewhere:
        return (
            f"{isolated(client.name)} also belongs to other organizations, so its secret gives access to "
            "more than yours. Whoever runs this application can change it in Logto's Console."
        )
    return (
        f"{isolated(client.name)} was added in Logto's Console. Whoever runs this application can change its "
        "secret there; here it can only be removed from the organization."
    )


def _entry(
    tenant: Tenant, action: Action, client_id: str, name: str, after: dict[str, Any] | None = None
) -> AuditEntry:
    return AuditEntry(Actor.of(tenant.principal), action, Target("api client", client_id, name), after=after)
