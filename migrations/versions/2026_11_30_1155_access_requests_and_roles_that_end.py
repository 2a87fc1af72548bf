"""access requests and roles that end

Revision ID: 6f8d9991cae3
Revises: d4b5b1c9d2d2
"""

import sqlalchemy as sa
from alembic import op


revision = '6f8d9991cae3'
down_revision = 'd4b5b1c9d2d2'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('access_requests',
    sa.Column('requester_id', sa.String(length=64), nullable=False),
    sa.Column('role', sa.String(length=128), nullable=False),
    sa.Column('permission', sa.String(length=64), nullable=True),
    sa.Column('minutes', sa.Integer(), nullable=True),
    sa.Column('reason', sa.String(length=500), nullable=False),
    sa.Column('state', sa.Enum('pending', 'approved', 'declined', 'withdrawn', name='requeststate', native_enum=False, length=16), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('decided_by', sa.String(length=64), nullable=True),
    sa.Column('answer', sa.String(length=500), nullable=False),
    sa.Column('ends_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('organization_id', sa.String(length=64), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.PrimaryKeyConstraint('organization_id', 'id', name=op.f('pk_access_requests'))
    )
    with op.batch_alter_table('access_requests', schema=None) as batch_op:
        batch_op.create_index('ix_access_requests_requester_id', ['organization_id', 'requester_id', 'id'], unique=False)
        batch_op.create_index('ix_access_requests_state', ['organization_id', 'state', 'id'], unique=False)
        batch_op.create_index('uq_access_requests_pending', ['organization_id', 'requester_id', 'role'], unique=True, sqlite_where=sa.text("state = 'pending'"), postgresql_where=sa.text("state = 'pending'"))

    op.create_table('organization_options',
    sa.Column('organization_id', sa.String(length=64), nullable=False),
    sa.Column('names_approvers', sa.Boolean(), server_default=sa.true(), nullable=False),
    sa.PrimaryKeyConstraint('organization_id', name=op.f('pk_organization_options'))
    )
    op.create_table('role_ends',
    sa.Column('organization_id', sa.String(length=64), nullable=False),
    sa.Column('user_id', sa.String(length=64), nullable=False),
    sa.Column('role', sa.String(length=128), nullable=False),
    sa.Column('ends_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('given_by', sa.String(length=64), nullable=False),
    sa.Column('given_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('organization_id', 'user_id', 'role', name=op.f('pk_role_ends'))
    )
    with op.batch_alter_table('role_ends', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_role_ends_ends_at'), ['ends_at'], unique=False)



def downgrade() -> None:
    with op.batch_alter_table('role_ends', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_role_ends_ends_at'))

    op.drop_table('role_ends')
    op.drop_table('organization_options')
    with op.batch_alter_table('access_requests', schema=None) as batch_op:
        batch_op.drop_index('uq_access_requests_pending', sqlite_where=sa.text("state = 'pending'"), postgresql_where=sa.text("state = 'pending'"))
        batch_op.drop_index('ix_access_requests_state')
        batch_op.drop_index('ix_access_requests_requester_id')

    op.drop_table('access_requests')
