"""add notifications

Revision ID: af1e793b2987
Revises: 53dc300f8bf7
"""

import sqlalchemy as sa
from alembic import op

revision = 'af1e793b2987'
down_revision = '53dc300f8bf7'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('notifications',
    sa.Column('user_id', sa.String(length=64), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('organization_id', sa.String(length=64), nullable=False),
    sa.Column('organization_name', sa.String(length=128), nullable=False),
    sa.Column('kind', sa.Enum('invited', 'roles changed', 'removed', 'joined', name='notificationkind', native_enum=False, length=16), nullable=False),
    sa.Column('details', sa.JSON(), nullable=False),
    sa.Column('cause', sa.String(length=160), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('read_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('user_id', 'id', name=op.f('pk_notifications')),
    sa.UniqueConstraint('user_id', 'cause', name=op.f('uq_notifications_user_id_cause'))
    )
    with op.batch_alter_table('notifications', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_notifications_created_at'), ['created_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_notifications_organization_id'), ['organization_id'], unique=False)
        batch_op.create_index('ix_notifications_unread', ['user_id'], unique=False, postgresql_where=sa.text('read_at IS NULL'), sqlite_where=sa.text('read_at IS NULL'))


def downgrade() -> None:
    with op.batch_alter_table('notifications', schema=None) as batch_op:
        batch_op.drop_index('ix_notifications_unread', postgresql_where=sa.text('read_at IS NULL'), sqlite_where=sa.text('read_at IS NULL'))
        batch_op.drop_index(batch_op.f('ix_notifications_organization_id'))
        batch_op.drop_index(batch_op.f('ix_notifications_created_at'))

    op.drop_table('notifications')
