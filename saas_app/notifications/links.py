"""The links in emails about memberships: to a page, to the settings, and the one that ends the emails.

The last one works without a sign-in, for a person or for their mail program (RFC 8058). It carries a proof
that only Workroom can create, for this person and purpose. It does nothing but end the emails, so it never
expires.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from saas_app.identity.vault import Vault
from saas_app.notifications.values import NotificationRow

_PURPOSE: Final = "no emails about memberships"


@dataclass(frozen=True, slots=True)
class EmailLinks:
    """Creates the links of emails, and reads the proofs in them."""

    app_url: str
    vault: Vault

    @property
    def settings(self) -> str:
        """The address of the page with the setting."""
        return f"{self.app_url}/account/settings"

    def page_of(self, row: NotificationRow) -> str:
        """Return the address of the page that a notification leads to."""
        if row.lead:
            return f"{self.app_url}{row.lead.path}"
        return f"{self.app_url}/notifications"

    def unsubscribe(self, user_id: str) -> str:
        """Return the address at which a person ends the emails."""
        query = urlencode({"proof": self.vault.stamp(_PURPOSE, user_id)})
        return f"{self.app_url}/notifications/unsubscribe?{query}"

    def read_person(self, proof: str) -> str | None:
        """Return the person whose emails a link ends, or None for an invalid proof."""
        return self.vault.read_stamped(_PURPOSE, proof)
