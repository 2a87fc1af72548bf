"""names folded without accents

Revision ID: 7d2c5b9e41fa
Revises: 7c1d94e2a0f6
"""

import unicodedata

import sqlalchemy as sa
from alembic import op

from saas_app.text.order import fold

revision = '7d2c5b9e41fa'
down_revision = '7c1d94e2a0f6'
branch_labels = None
depends_on = None

_BATCH = 1000
_PROJECTS = sa.table(
    'projects',
    sa.column('organization_id', sa.String),
    sa.column('id', sa.Uuid),
    sa.column('name', sa.String),
    sa.column('folded_name', sa.String),
)


def upgrade() -> None:
    _fold_again(lambda name: fold(name)[:360])


def downgrade() -> None:
    _fold_again(lambda name: unicodedata.normalize('NFC', name).casefold()[:360])


def _fold_again(folded) -> None:
    """Write what projects are searched and sorted by once more, where it changes: a thousand at a time."""
    connection, c = op.get_bind(), _PROJECTS.c
    last = None
    while True:
        rows = sa.select(_PROJECTS).order_by(c.organization_id, c.id).limit(_BATCH)
        if last is not None:
            rows = rows.where(sa.tuple_(c.organization_id, c.id) > sa.tuple_(*map(sa.literal, last)))
        found = connection.execute(rows).all()
        if not found:
            return
        last = (found[-1].organization_id, found[-1].id)
        changed = [
            {'its_organization': row.organization_id, 'its_id': row.id, 'folded': folded(row.name)}
            for row in found
            if folded(row.name) != row.folded_name
        ]
        if changed:
            connection.execute(
                sa.update(_PROJECTS)
                .where(c.organization_id == sa.bindparam('its_organization'), c.id == sa.bindparam('its_id'))
                .values(folded_name=sa.bindparam('folded')),
                changed,
            )
