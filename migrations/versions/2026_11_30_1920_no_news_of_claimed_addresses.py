"""no news of claimed addresses

A company's identity provider can no longer open the account of somebody else, so nobody is told that it tried.

Revision ID: c81d5e07b2f4
Revises: 3f3568c32b93
"""

import sqlalchemy as sa
from alembic import op

revision = 'c81d5e07b2f4'
down_revision = '3f3568c32b93'
branch_labels = None
depends_on = None

_NOTIFICATIONS = sa.table('notifications', sa.column('kind', sa.String))


def upgrade() -> None:
    op.execute(_NOTIFICATIONS.delete().where(_NOTIFICATIONS.c.kind == 'address claimed'))


def downgrade() -> None:
    pass
