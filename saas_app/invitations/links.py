"""The two links of an invitation: one that pages show, and one that is only emailed.

A person who opens the emailed link has read the message, so they own the invited address, and their sign-up
can start with that address already verified. The link that pages show to admins does not prove that. So the
emailed link carries a sealed proof that only Workroom can create.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from saas_app.identity.vault import Vault
from saas_app.logto import Invitation

_PURPOSE: Final = "an invitation's message"


def link_to(app_url: str, invitation_id: str) -> str:
    """Return the address of the page on which an invitation is accepted."""
    return f"{app_url}/invitations/{invitation_id}"


@dataclass(frozen=True, slots=True)
class InvitationLinks:
    """Creates the emailed links, and reads the proofs in them."""

    app_url: str
    vault: Vault

    def mailed(self, invitation: Invitation) -> str:
        """Return the link for the email. Nobody but the invited address may receive it."""
        proof = json.dumps([_PURPOSE, invitation.id, invitation.invitee])
        query = urlencode({"mail": self.vault.seal(proof).decode()})
        return f"{link_to(self.app_url, invitation.id)}?{query}"

    def read_address(self, invitation_id: str, proof: str) -> str | None:
        """Return the address to which the invitation was emailed, or None for an invalid proof."""
        opened = self.vault.find(proof)
        try:
            purpose, proved_id, address = json.loads(opened or "")
        except ValueError:
            return None
        return str(address) if (purpose, proved_id) == (_PURPOSE, invitation_id) else None
