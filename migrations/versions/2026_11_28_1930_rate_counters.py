"""rate counters

Revision ID: 6b1f0c9d27ae
Revises: c1f0a3d2b7e4
"""

import sqlalchemy as sa
from alembic import op


revision = '6b1f0c9d27ae'
down_revision = 'c1f0a3d2b7e4'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('rate_counters',
    sa.Column('key', sa.String(length=64), nullable=False),
    sa.Column('used', sa.Integer(), nullable=False),
    sa.Column('until', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('key', name=op.f('pk_rate_counters'))
    )
    op.create_index(op.f('ix_rate_counters_until'), 'rate_counters', ['until'])


def downgrade() -> None:
    op.drop_index(op.f('ix_rate_counters_until'), table_name='rate_counters')
    op.drop_table('rate_counters')
