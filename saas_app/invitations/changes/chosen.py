"""Resends and revokes several invitations that somebody chose on the list.

Each takes a turn of its own, with all its checks and limits, and an entry in the audit log.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from saas_app.changes.organization_change import MemberChange
from saas_app.changes.rows import ChosenRow, RowResult, change_each
from saas_app.invitations.changes import pending
from saas_app.invitations.links import InvitationLinks
from saas_app.invitations.service import list_invitees


async def resend_all(
    change: MemberChange, rows: Sequence[ChosenRow], links: InvitationLinks
) -> list[RowResult]:
    """Email the invitations again. One that is no longer pending, or reached a limit, is skipped."""

    async def resend(row: ChosenRow) -> str:
        return (await pending.resend(change, row.id, links)).invitee

    return await _named(change, await change_each(rows, resend))


async def revoke_all(change: MemberChange, rows: Sequence[ChosenRow]) -> list[RowResult]:
    """Revoke the invitations. One that is no longer pending is skipped."""

    async def revoke(row: ChosenRow) -> str:
        return (await pending.revoke(change, row.id)).invitee

    return await _named(change, await change_each(rows, revoke))


async def _named(change: MemberChange, results: list[RowResult]) -> list[RowResult]:
    """Add the addresses of the invitations that were skipped."""
    if all(result.name for result in results):
        return results
    invitees = await list_invitees(change.management, change.caller)
    return [replace(result, name=result.name or invitees.get(result.id, "")) for result in results]
