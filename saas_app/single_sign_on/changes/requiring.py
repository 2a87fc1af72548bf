"""Requires single sign-on of the members, and makes it optional again. Logto has no part in it."""

from __future__ import annotations

from saas_app.audit.recorder import Action
from saas_app.changes.organization_change import MemberChange
from saas_app.db.base import utc_now
from saas_app.single_sign_on.changes.steps import (
    NotReady,
    event,
    get_connection,
    list_held,
    no_domain,
    require_lasting,
    setting_up,
    store,
)
from saas_app.single_sign_on.recovery import require_recoverable
from saas_app.single_sign_on.service import effective_domains
from saas_app.text.translation import _


async def require(change: MemberChange, recovery_id: str, *, self_service: bool) -> None:
    """Let only people in who signed in at the provider, and the recovery admin. Another one can be chosen.

    Raises :class:`NotReady` while it is not on, or not tested since the last change, and :class:`Invalid` for
    a recovery admin without another way in.
    """
    async with setting_up(change, self_service=self_service) as turn:
        now = await get_connection(turn)
        if not now.is_on:
            raise NotReady(_("Turn single sign-on on first."))
        if now.tested_at is None:
            raise NotReady(_("Test the connection first. Each change of the provider requires a new test."))
        if not effective_domains(now, await list_held(turn)):
            raise NotReady(no_domain())
        chosen = await require_recoverable(turn.work, turn.management, now, recovery_id)
        if now.required_at is not None and now.recovery_id == chosen.id:
            return
        before = {"recovery": now.recovery_id} if now.required_at is not None else None
        entry = event(turn, Action.SSO_REQUIRE, now, before, {"recovery": chosen.name})
        await store(turn, entry, required_at=now.required_at or utc_now(), recovery_id=chosen.id)


async def stop_requiring(change: MemberChange) -> None:
    """Let members in however they signed in. Repeating it changes nothing."""
    require_lasting(change.caller)
    async with change.alone() as turn:
        now = await get_connection(turn)
        if now.required_at is None:
            return
        entry = event(turn, Action.SSO_STOP_REQUIRING, now)
        await store(turn, entry, required_at=None, recovery_id=None)
