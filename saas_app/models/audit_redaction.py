"""The one way to change the audit log: a text of an erased person becomes their pseudonym."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from saas_app.db.base import NOTHING, Base, TenantOwned


class AuditRedaction(TenantOwned, Base):
    """In events that contain ``marker``, ``wanted`` may be replaced by ``replacement``, and nothing else.

    Triggers on ``audit_events`` and ``audit_actors`` read the rows. An erasure inserts them and deletes them
    in the transaction that uses them, so the table is empty for everybody else.
    """

    __tablename__ = "audit_redactions"
    __granted__ = NOTHING

    marker: Mapped[str] = mapped_column(sa.Text)
    wanted: Mapped[str] = mapped_column(sa.Text)
    replacement: Mapped[str] = mapped_column(sa.Text)
