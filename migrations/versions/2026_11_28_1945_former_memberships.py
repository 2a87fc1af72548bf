"""former memberships

Revision ID: 0d4e7a91c3b5
Revises: 6b1f0c9d27ae
"""

import sqlalchemy as sa
from alembic import op


revision = '0d4e7a91c3b5'
down_revision = '6b1f0c9d27ae'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('former_memberships',
    sa.Column('organization_id', sa.String(length=64), nullable=False),
    sa.Column('user_id', sa.String(length=64), nullable=False),
    sa.Column('organization_name', sa.String(length=128), nullable=False),
    sa.Column('ending', sa.Enum('removed', 'left', 'unknown', name='ending', native_enum=False, length=16), nullable=False),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('organization_id', 'user_id', name=op.f('pk_former_memberships'))
    )
    op.create_index(op.f('ix_former_memberships_user_id'), 'former_memberships', ['user_id'])


def downgrade() -> None:
    op.drop_index(op.f('ix_former_memberships_user_id'), table_name='former_memberships')
    op.drop_table('former_memberships')
