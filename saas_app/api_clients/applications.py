"""Creates the applications of API clients in Logto, adds them to the organization, and replaces secrets.

An application whose creation fails halfway is deleted, so that none is left without an organization.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

import structlog

from saas_app.api_clients.values import default_description
from saas_app.changes.organization_change import MemberChange, NothingChanged
from saas_app.db.base import new_uuid
from saas_app.errors import LogtoUnavailable, SignInRequired
from saas_app.identity.standing import AccessChanged
from saas_app.logto import Application, ApplicationSecret, ManagementClient, ManagementError
from saas_app.text.translation import _

log = structlog.get_logger(__name__)

_MARK: Final = "workroom"


class NotCreated(LogtoUnavailable, NothingChanged):
    """Logto failed halfway, and the unfinished client was deleted."""

    title = _("No API client was created")


class NotRotated(LogtoUnavailable, NothingChanged):
    """Logto failed before there was a new secret."""

    title = _("The secret was not rotated")


async def create_application(change: MemberChange, name: str, description: str = "") -> Application:
    """Create an application in no organization yet. If Logto's response is lost, our mark identifies it.

    Raises :class:`ManagementError`, :class:`NotCreated` and :class:`LogtoUnavailable`.
    """
    management, tenant = change.management, change.caller
    mark = {"organizationId": tenant.organization_id, "request": str(new_uuid())}
    description = description or default_description(tenant.organization_name)
    try:
        return await management.create_machine(name, description, custom_data={_MARK: mark})
    except ManagementError:
        raise
    except BaseException as failure:  # also if the caller disconnects: nothing may be left
        called = await management.list_machines_by_name(name)
        made = next((found for found in called if found.custom_data.get(_MARK) == mark), None)
        if made is not None and isinstance(failure, LogtoUnavailable):
            return made
        if made is not None:
            await delete_unfinished(management, made.id)
        if isinstance(failure, LogtoUnavailable):
            raise NotCreated(_("Logto did not respond, and no API client was created. Try again.")) from None
        raise


async def add_to_organization(
    turn: MemberChange, client_id: str, role_ids: list[str], expires_at: datetime | None
) -> str:
    """Add the new application to the organization with its roles, and return its secret.

    If the caller loses the permission halfway, the application is deleted, and they get no secret.
    """
    management, organization_id = turn.management, turn.organization_id
    try:
        await management.add_machine(organization_id, client_id)
        await turn.require_standing()
        await management.assign_machine_roles(organization_id, client_id, role_ids)
        secret = await _first_secret(management, client_id, expires_at)
        await turn.require_standing()
    except (ManagementError, AccessChanged, SignInRequired):
        await delete_unfinished(management, client_id)
        raise
    except LogtoUnavailable:
        await delete_unfinished(management, client_id)
        raise NotCreated(_("Logto stopped responding, and no API client was created. Try again.")) from None
    return secret.value


async def _first_secret(
    management: ManagementClient, client_id: str, expires_at: datetime | None
) -> ApplicationSecret:
    """Return the secret that Logto made, which never expires, or one in its place that does."""
    (made,) = await management.list_secrets(client_id)
    if expires_at is None:
        return made
    secret = await _add_secret(management, client_id, expires_at)
    await management.delete_secret(client_id, made.name)
    return secret


async def delete_unfinished(management: ManagementClient, client_id: str) -> None:
    """Delete an application that was not finished. Raises :class:`LogtoUnavailable` if it may still exist."""
    try:
        await management.delete_application(client_id)
    except (ManagementError, LogtoUnavailable) as failure:
        if isinstance(failure, ManagementError) and failure.status == 404:
            return  # already deleted
        log.warning("an unfinished API client remains in logto", client_id=client_id, why=str(failure))
        raise LogtoUnavailable(
            _(
                "Logto stopped responding while the API client was created and while that was undone. "
                "A client with an unknown secret may remain. Check the list in a few minutes and revoke it "
                "there."
            )
        ) from None


async def replace_secrets(
    turn: MemberChange, client_id: str, expires_at: datetime | None
) -> tuple[ApplicationSecret, int]:
    """Create a secret, delete the old ones, and return the new one with the number of old ones left.

    A failed deletion raises nothing, because the caller must see the new secret. If the caller loses the
    permission halfway, they get no secret, and the old ones stay. Raises :class:`NotRotated`.
    """
    management = turn.management
    old = {secret.name for secret in await management.list_secrets(client_id)}
    await turn.require_standing()
    new = await _add_secret(management, client_id, expires_at)
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
    """Count the old secrets that still work. One may be gone although the answer to its deletion was lost."""
    try:
        return len(old & {secret.name for secret in await management.list_secrets(client_id)})
    except (ManagementError, LogtoUnavailable):
        return failures


async def _add_secret(
    management: ManagementClient, client_id: str, expires_at: datetime | None
) -> ApplicationSecret:
    """Create a secret. If Logto's answer is lost, the secret is found by its name."""
    name = f"workroom {new_uuid()}"
    try:
        return await management.create_secret(client_id, name, expires_at)
    except LogtoUnavailable:
        for secret in await management.list_secrets(client_id):
            if secret.name == name:
                return secret
        raise NotRotated(_("Logto did not respond, so the secret was not changed. Try again.")) from None
