"""Calls for webhooks."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from saas_app.logto.calls import Calls
from saas_app.logto.paths import segment
from saas_app.logto.records import Hook

_TEST_EVENT: Final = "PostSignIn"  # Workroom ignores it


class HookCalls(Calls):
    """Webhooks of the tenant."""

    async def list_hooks(self) -> list[Hook]:
        """Return every webhook with its signing key. Neither names nor URLs are unique."""
        return Hook.read_all(await self._transport.list_all("/hooks"))

    async def create_hook(self, name: str, url: str, events: Collection[str]) -> Hook:
        """Register a webhook. Logto creates its signing key."""
        body = {"name": name, "events": sorted(events), "config": {"url": url}}
        return Hook.read(await self._body("POST", "/hooks", body))

    async def send_test_message(self, hook: Hook) -> None:
        """Have Logto send a signed test event to a webhook's URL.

        Raises :class:`ManagementError` with status 422 if the URL does not respond or rejects the event; in
        the latter case its data has the ``responseStatus``.
        """
        body = {"events": [_TEST_EVENT], "config": dict(hook.config)}
        await self._body("POST", f"/hooks/{segment(hook.id)}/test", body)

    async def replace_hook(self, hook_id: str, *, events: Collection[str], config: Mapping[str, Any]) -> None:
        """Enable a webhook, and replace its events and its config."""
        body = {"events": sorted(events), "config": dict(config), "enabled": True}
        await self._body("PATCH", f"/hooks/{segment(hook_id)}", body)
