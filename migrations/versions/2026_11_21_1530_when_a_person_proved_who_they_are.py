"""when a person proved who they are

Revision ID: 5d0f3c7a91be
Revises: b672eb9eef5f
"""

import sqlalchemy as sa
from alembic import op


revision = '5d0f3c7a91be'
down_revision = 'b672eb9eef5f'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('sessions', sa.Column('authenticated_at', sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table('sessions', schema=None) as batch_op:
        batch_op.drop_column('authenticated_at')
