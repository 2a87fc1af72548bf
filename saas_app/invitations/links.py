"""The links of an invitation: one that may be shown, and one that is only sent.

Whoever opens the link that was sent has read the message, so they own the invited address: their sign-up may
start with that address, already verified. The link that pages show to admins proves nothing of that kind. So
the sent one carries a sealed proof, which Workroom alone can make.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from saas_app.identity.vault import Vault
from saas_app.invitations.service import link_to
from saas_app.logto import Invitation

_PURPOSE: Final = "an invitation's message"


@dataclass(frozen=True, slots=True)
class InvitationLinks:
    """Makes links, and reads the proof in one that was sent."""

    app_url: str
    vault: Vault

    def mailed(self, invitation: Invitation) -> str:
        """The link for the message. It must reach nobody but the invited address."""
        proof = json.dumps([_PURPOSE, invitation.id, invitation.invitee])
        query = urlencode({"mail": self.vault.seal(proof).decode()})
        return f"{link_to(self.app_url, invitation.id)}?{query}"

    def read_address(self, invitation_id: str, proof: str) -> str | None:
        """The address to which the invitation's message was sent; None for any other proof."""
        opened = self.vault.find(proof)
        try:
            purpose, proved_id, address = json.loads(opened or "")
        except ValueError:
            return None
        return str(address) if (purpose, proved_id) == (_PURPOSE, invitation_id) else None
