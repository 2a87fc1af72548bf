"""versions of memberships

Revision ID: c1f0a3d2b7e4
Revises: 3b8f0a6c51d2
"""

import sqlalchemy as sa
from alembic import op


revision = 'c1f0a3d2b7e4'
down_revision = '3b8f0a6c51d2'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('membership_changes') as table:
        table.add_column(sa.Column('version', sa.Integer(), server_default='1', nullable=False))
        table.add_column(sa.Column('issued_before', sa.BigInteger(), nullable=True))
        table.add_column(sa.Column('issued_after', sa.BigInteger(), nullable=True))
    with op.batch_alter_table('session_tokens') as table:
        table.add_column(sa.Column('membership_version', sa.Integer(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table('session_tokens') as table:
        table.drop_column('membership_version')
    with op.batch_alter_table('membership_changes') as table:
        table.drop_column('issued_after')
        table.drop_column('issued_before')
        table.drop_column('version')
