"""Calls for invitations to organizations.

When a status cannot be changed, Logto 1.42 always sends the same code. To find out why, read the invitation
again.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

from saas_app.logto.calls import Calls
from saas_app.logto.paths import segment
from saas_app.logto.records import Invitation

_PATH: Final = "/organization-invitations"


class InvitationCalls(Calls):
    """Invitations by email."""

    async def list_invitations(self, organization_id: str) -> list[Invitation]:
        """Return all invitations of an organization, newest first. Logto does not page this list."""
        return await self._list({"organizationId": organization_id})

    async def list_invitations_for(self, invitee: str) -> list[Invitation]:
        """Return the invitations of an address to any organization, newest first. Case does not matter."""
        return await self._list({"invitee": invitee})

    async def find_invitation(self, invitation_id: str) -> Invitation | None:
        """Return an invitation, or None if there is none with this ID."""
        found = await self._find(f"{_PATH}/{{}}", invitation_id)
        return None if found is None else Invitation.read(found)

    async def create_invitation(
        self,
        organization_id: str,
        invitee: str,
        *,
        role_ids: Collection[str],
        expires_at: int,
        inviter_id: str | None = None,
    ) -> Invitation:
        """Invite an address without sending a message. ``expires_at`` is in milliseconds since the epoch.

        422 ``entity.unique_integrity_violation`` for a second pending invitation, ``request.invalid_input``
        for the address of a member.
        """
        body: dict[str, Any] = {
            "organizationId": organization_id,
            "invitee": invitee,
            "expiresAt": expires_at,
            "organizationRoleIds": list(role_ids),
            "messagePayload": False,
        }
        if inviter_id is not None:
            body["inviterId"] = inviter_id
        return Invitation.read(await self._body("POST", _PATH, body))

    async def send_invitation(self, invitation_id: str, link: str, language: str) -> None:
        """Have Logto send the email with the link, from its template in a language if there is one.

        501 ``connector.not_found`` without an email connector.
        """
        body = {"link": link, "locale": language}
        await self._body("POST", f"{_PATH}/{segment(invitation_id)}/message", body)

    async def accept_invitation(self, invitation_id: str, user_id: str) -> Invitation:
        """Make a person a member with the invitation's roles. Their primary email must be the invitee's."""
        return await self._set_status(invitation_id, {"status": "Accepted", "acceptedUserId": user_id})

    async def revoke_invitation(self, invitation_id: str) -> Invitation:
        """Revoke a pending invitation."""
        return await self._set_status(invitation_id, {"status": "Revoked"})

    async def _set_status(self, invitation_id: str, body: dict[str, Any]) -> Invitation:
        path = f"{_PATH}/{segment(invitation_id)}/status"
        return Invitation.read(await self._body("PUT", path, body, repeatable=False))

    async def _list(self, query: dict[str, str | int]) -> list[Invitation]:
        answer = await self._transport.call("GET", _PATH, query=query)
        return Invitation.read_all(answer.body)
