"""What sign-ins through a provider have in common: the browser was sent there and may return once. Pure."""

from __future__ import annotations

import hmac
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class ProviderProof:
    """The verification record of a sign-in through a provider.

    ``state`` is the value that our pages sent with the browser. It is dropped after the first return.
    """

    id: str
    connector_id: str
    state: str | None = None

    def is_waiting_for(self, connector_id: str, state: str) -> bool:
        """Return whether the browser was sent to this provider with this state and has not come back."""
        return (
            self.state is not None
            and self.connector_id == connector_id
            and hmac.compare_digest(self.state.encode(), state.encode())
        )
