"""single sign-on

Revision ID: fb6d604720cc
Revises: cb1b23958140
"""

import sqlalchemy as sa
from alembic import op

revision = 'fb6d604720cc'
down_revision = 'cb1b23958140'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'sso_connections',
        sa.Column('organization_id', sa.String(length=64), nullable=False),
        sa.Column('connector_id', sa.String(length=64), nullable=False),
        sa.Column('name', sa.String(length=64), nullable=False),
        sa.Column('issuer', sa.String(length=512), nullable=False),
        sa.Column('client_id', sa.String(length=256), nullable=False),
        sa.Column('scopes', sa.String(length=256), nullable=False),
        sa.Column('domains', sa.JSON(), nullable=False),
        sa.Column('joins', sa.Boolean(), nullable=False),
        sa.Column('group_claim', sa.String(length=64), nullable=False),
        sa.Column('group_roles', sa.JSON(), nullable=False),
        sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('created_by', sa.String(length=64), nullable=False),
        sa.Column('tested_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('tested_by', sa.String(length=64), nullable=True),
        sa.Column('on_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('required_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('recovery_id', sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint('organization_id', name=op.f('pk_sso_connections')),
        sa.UniqueConstraint('connector_id', name=op.f('uq_sso_connections_connector_id')),
    )
    op.add_column('sessions', sa.Column('sso_connector_id', sa.String(length=64), nullable=True))
    allowed = sa.Column('sso_allowed', sa.Boolean(), server_default=sa.false(), nullable=False)
    op.add_column('organization_options', allowed)


def downgrade() -> None:
    op.drop_column('organization_options', 'sso_allowed')
    op.drop_column('sessions', 'sso_connector_id')
    op.drop_table('sso_connections')
