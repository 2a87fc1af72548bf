"""The two links of an invitation: one that pages show, and one that is only emailed.

A person who opens the emailed link has read the message, so they own the invited address. That link therefore
signs them in, once and for a short time (decision 30). The link that pages show to admins does not prove
anything. So the emailed link carries a sealed proof that only Workroom can create.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import urlencode

from saas_app.db.base import utc_now
from saas_app.identity.vault import Vault, fingerprint, new_cookie_value
from saas_app.logto import Invitation

PROOF_FIELD: Final = "mail"
"""The parameter of the emailed link, and the hidden field of its page, with the proof."""

_PURPOSE: Final = "an invitation's message"


def link_to(app_url: str, invitation_id: str) -> str:
    """Return the address of the page on which an invitation is accepted."""
    return f"{app_url}/invitations/{invitation_id}"


@dataclass(frozen=True, slots=True)
class MailedLink:
    """A new link for an email. Only the hash of its secret is stored, until it expires."""

    url: str = field(repr=False)
    organization_id: str
    invitation_id: str
    secret_hash: bytes
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Proof:
    """What an emailed link proves: the address that received it.

    ``organization_id`` and ``secret_hash`` find what is stored about the link. They are empty in links of
    earlier releases, which do not sign in.
    """

    invitation_id: str
    address: str
    organization_id: str
    secret_hash: bytes


@dataclass(frozen=True, slots=True)
class InvitationLinks:
    """Creates the emailed links, and reads the proofs in them. A link signs in for ``lifetime``."""

    app_url: str
    vault: Vault
    lifetime: timedelta

    def mailed(self, invitation: Invitation) -> MailedLink:
        """Return a new link for the email. Nobody but the invited address may receive it."""
        secret = new_cookie_value()
        sealed = self.vault.seal(
            json.dumps([_PURPOSE, invitation.id, invitation.invitee, invitation.organization_id, secret])
        )
        query = urlencode({PROOF_FIELD: sealed.decode()})
        ends_with_invitation = datetime.fromtimestamp(invitation.expires_at / 1000, UTC)
        return MailedLink(
            f"{link_to(self.app_url, invitation.id)}?{query}",
            invitation.organization_id,
            invitation.id,
            fingerprint(secret),
            min(utc_now() + self.lifetime, ends_with_invitation),
        )

    def read(self, invitation_id: str, proof: str) -> Proof | None:
        """Return what a proof in the link of this invitation proves, or None if it is invalid."""
        opened = self.vault.find(proof)
        try:
            purpose, proved_id, address, *stored = json.loads(opened or "")
            organization_id, secret = map(str, stored or ("", ""))
        except (ValueError, TypeError):
            return None
        if (purpose, proved_id) != (_PURPOSE, invitation_id):
            return None
        return Proof(invitation_id, str(address), organization_id, fingerprint(secret))
