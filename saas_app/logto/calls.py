"""The base class of all groups of calls: sends a request, and reads an item that may not exist."""

from __future__ import annotations

from typing import Any

from saas_app.logto.paths import segment
from saas_app.logto.responses import Json, ManagementError
from saas_app.logto.transport import ManagementTransport


class Calls:
    """Base of the groups of calls. :class:`.client.ManagementClient` sets the transport."""

    _transport: ManagementTransport

    async def _body(
        self, method: str, path: str, body: Json = None, *, repeatable: bool | None = None
    ) -> Any:
        """Send a call and return the body of the response."""
        return (await self._transport.call(method, path, body=body, repeatable=repeatable)).body

    async def _find(self, path: str, *ids: str) -> Any:
        """Read ``path``, with each ``{}`` replaced by an ID. Return the body, or None for a 404."""
        try:
            return await self._body("GET", path.format(*map(segment, ids)))
        except ManagementError as refusal:
            if refusal.status == 404:
                return None
            raise
