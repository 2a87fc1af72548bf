"""refreshing by leases

Revision ID: 5e0c7a91d3b8
Revises: 7d2c5b9e41fa
"""

import sqlalchemy as sa
from alembic import op


revision = '5e0c7a91d3b8'
down_revision = '7d2c5b9e41fa'
branch_labels = None
depends_on = None

# Outside a batch: a batch would make the table anew on SQLite, and take the tokens of its sessions with it.


def upgrade() -> None:
    op.add_column('sessions', sa.Column('refresh_paused_until', sa.DateTime(timezone=True), nullable=True))
    op.drop_column('sessions', 'refresh_until')
    op.drop_column('sessions', 'refresh_owner')


def downgrade() -> None:
    op.add_column('sessions', sa.Column('refresh_owner', sa.Uuid(), nullable=True))
    op.add_column('sessions', sa.Column('refresh_until', sa.DateTime(timezone=True), nullable=True))
    op.drop_column('sessions', 'refresh_paused_until')
