"""Statements on the names of people and on emailed links. Logto stores the invitations."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa

from saas_app.db.base import new_uuid
from saas_app.db.session import DatabaseSession, WritingSession
from saas_app.invitations.links import MailedLink, Proof
from saas_app.models import InvitationLink, User

_CHUNK = 500  # bound parameters per statement
_KEPT: Final = timedelta(days=31)  # after its end, so that its page can say why a link no longer signs in

_OF_PROOF: Final = sa.and_(
    InvitationLink.invitation_id == sa.bindparam("proved_id", type_=sa.String),
    InvitationLink.secret_hash == sa.bindparam("proved_hash", type_=sa.LargeBinary),
)
_LINK: Final = sa.select(InvitationLink.expires_at, InvitationLink.used_at).where(_OF_PROOF)
_CLAIM: Final = (
    sa.update(InvitationLink)
    .where(
        _OF_PROOF,
        InvitationLink.used_at.is_(None),
        InvitationLink.expires_at > sa.bindparam("now", type_=InvitationLink.expires_at.type),
    )
    .values(used_at=sa.bindparam("now", type_=InvitationLink.expires_at.type))
    .returning(InvitationLink.id)
)
_GIVE_BACK: Final = sa.update(InvitationLink).where(_OF_PROOF).values(used_at=None)


@dataclass(frozen=True, slots=True)
class LinkRow:
    """What is stored about an emailed link."""

    expires_at: datetime
    used_at: datetime | None


async def find_names(db: DatabaseSession, user_ids: Collection[str]) -> dict[str, str]:
    """Return people's names for display, by id. People unknown to Workroom are missing."""
    wanted = sorted(set(user_ids))
    names: dict[str, str] = {}
    for start in range(0, len(wanted), _CHUNK):
        rows = await db.execute(
            sa.select(User.id, User.display_name(User.id)).where(User.id.in_(wanted[start : start + _CHUNK]))
        )
        names.update((user_id, name) for user_id, name in rows)
    return names


async def store_link(db: WritingSession, link: MailedLink, now: datetime) -> None:
    """Store a new link in the place of the invitation's older one, and delete links that ended long ago."""
    await forget_link(db, link.invitation_id)
    await db.execute(sa.delete(InvitationLink).where(InvitationLink.expires_at < now - _KEPT))
    row = {
        "organization_id": link.organization_id,
        "id": new_uuid(),
        "invitation_id": link.invitation_id,
        "secret_hash": link.secret_hash,
        "expires_at": link.expires_at,
        "used_at": None,
    }
    await db.execute(sa.insert(InvitationLink), [row])


async def find_link(db: DatabaseSession, proof: Proof) -> LinkRow | None:
    """Return what is stored about a link, or None if a newer one replaced it or it was deleted."""
    row = (await db.execute(_LINK, _of(proof))).one_or_none()
    return None if row is None else LinkRow(*row)


async def claim_link(db: WritingSession, proof: Proof, now: datetime) -> bool:
    """Mark a link as used. Returns False unless it can be used now. Of several requests, one gets True."""
    return await db.scalar(_CLAIM, {**_of(proof), "now": now}) is not None


async def give_link_back(db: WritingSession, proof: Proof) -> None:
    """Let a link be used again, because it signed nobody in."""
    await db.execute(_GIVE_BACK, _of(proof))


async def forget_link(db: WritingSession, invitation_id: str) -> None:
    """Delete the link of an invitation, so that it no longer signs in."""
    await db.execute(sa.delete(InvitationLink).where(InvitationLink.invitation_id == invitation_id))


def _of(proof: Proof) -> dict[str, object]:
    return {"proved_id": proof.invitation_id, "proved_hash": proof.secret_hash}
