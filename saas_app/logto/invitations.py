"""The calls about invitations to organizations. Part of the client.

All refusals of a change of status share one code (Logto 1.42): who has to tell them apart reads the
invitation again.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

from saas_app.logto.paths import segment
from saas_app.logto.records import Invitation
from saas_app.logto.transport import ManagementError, ManagementTransport

_PATH: Final = "/organization-invitations"


class InvitationCalls:
    """Invitations by email. Mixed into the client, which brings the transport."""

    _transport: ManagementTransport

    async def list_invitations(self, organization_id: str) -> list[Invitation]:
        """The organization's invitations, the newest first: all of them, Logto does not page this list."""
        return await self._list({"organizationId": organization_id})

    async def list_invitations_for(self, invitee: str) -> list[Invitation]:
        """The invitations of an address to any organization, compared without case, the newest first."""
        return await self._list({"invitee": invitee})

    async def find_invitation(self, invitation_id: str) -> Invitation | None:
        """The invitation with this id, as it stands now."""
        try:
            answer = await self._transport.call("GET", f"{_PATH}/{segment(invitation_id)}")
        except ManagementError as refusal:
            if refusal.status == 404:
                return None
            raise
        return Invitation.read(answer.body)

    async def create_invitation(
        self,
        organization_id: str,
        invitee: str,
        *,
        role_ids: Collection[str],
        expires_at: int,
        inviter_id: str | None = None,
    ) -> Invitation:
        """Invite an address without sending a message. ``expires_at`` is milliseconds since the epoch.

        422 ``entity.unique_integrity_violation`` for a second pending one, ``request.invalid_input`` for
        the address of a member.
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
        return Invitation.read((await self._transport.call("POST", _PATH, body=body)).body)

    async def send_invitation(self, invitation_id: str, link: str) -> None:
        """Have Logto send the message, with the link in it; 501 ``connector.not_found`` without email."""
        path = f"{_PATH}/{segment(invitation_id)}/message"
        await self._transport.call("POST", path, body={"link": link})

    async def accept_invitation(self, invitation_id: str, user_id: str) -> Invitation:
        """Make a person a member with the invitation's roles; their primary email must be the invitee's."""
        return await self._settle(invitation_id, {"status": "Accepted", "acceptedUserId": user_id})

    async def revoke_invitation(self, invitation_id: str) -> Invitation:
        """Take a pending invitation back."""
        return await self._settle(invitation_id, {"status": "Revoked"})

    async def _settle(self, invitation_id: str, body: dict[str, Any]) -> Invitation:
        path = f"{_PATH}/{segment(invitation_id)}/status"
        return Invitation.read((await self._transport.call("PUT", path, body=body, repeatable=False)).body)

    async def _list(self, query: dict[str, str | int]) -> list[Invitation]:
        answer = await self._transport.call("GET", _PATH, query=query)
        return Invitation.read_all(answer.body)
