"""note the last use of API clients

Revision ID: d88a699191ba
Revises: af1e793b2987
"""

import sqlalchemy as sa
from alembic import op


revision = 'd88a699191ba'
down_revision = 'af1e793b2987'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('api_clients', schema=None) as batch_op:
        batch_op.add_column(sa.Column('last_used_at', sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table('api_clients', schema=None) as batch_op:
        batch_op.drop_column('last_used_at')
