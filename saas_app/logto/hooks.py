"""The calls that register webhooks. Part of the client."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from saas_app.logto.paths import segment
from saas_app.logto.records import Hook
from saas_app.logto.transport import ManagementTransport

_TEST_EVENT: Final = "PostSignIn"


class HookCalls:
    """Webhooks of the whole tenant. Mixed into the client, which brings the transport."""

    _transport: ManagementTransport

    async def list_hooks(self) -> list[Hook]:
        """Every webhook of the tenant, with the key that signs it. Neither names nor addresses are unique."""
        return Hook.read_all(await self._transport.list_all("/hooks"))

    async def create_hook(self, name: str, url: str, events: Collection[str]) -> Hook:
        """Register a webhook; Logto makes its signing key."""
        body = {"name": name, "events": sorted(events), "config": {"url": url}}
        return Hook.read((await self._transport.call("POST", "/hooks", body=body)).body)

    async def send_test_message(self, hook: Hook) -> None:
        """Have Logto send a made-up event to a webhook's address, signed as all are.

        The event is one that we do not listen to. Raises :class:`ManagementError` 422 when nothing is
        reached there, or with its ``responseStatus`` when that refuses.
        """
        body = {"events": [_TEST_EVENT], "config": dict(hook.config)}
        await self._transport.call("POST", f"/hooks/{segment(hook.id)}/test", body=body)

    async def replace_hook(self, hook_id: str, *, events: Collection[str], config: Mapping[str, Any]) -> None:
        """Enable a webhook and replace its events and its config whole."""
        body = {"events": sorted(events), "config": dict(config), "enabled": True}
        await self._transport.call("PATCH", f"/hooks/{segment(hook_id)}", body=body)
