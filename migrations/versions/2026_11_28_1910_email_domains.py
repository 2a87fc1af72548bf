"""email domains

Revision ID: a3c1e07d5b64
Revises: f5d8515caff2
"""

import sqlalchemy as sa
from alembic import op


revision = 'a3c1e07d5b64'
down_revision = 'f5d8515caff2'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('email_domains',
    sa.Column('organization_id', sa.String(length=64), nullable=False),
    sa.Column('domain', sa.String(length=128), nullable=False),
    sa.Column('token', sa.String(length=64), nullable=False),
    sa.Column('claimed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('proof', sa.Enum('dns', 'address', name='domainproof', native_enum=False, length=16), nullable=True),
    sa.Column('proved_by', sa.String(length=64), nullable=True),
    sa.Column('verified_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('checked_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('failing_since', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('organization_id', 'domain', name=op.f('pk_email_domains'))
    )
    op.create_index('uq_email_domains_verified', 'email_domains', ['domain'], unique=True,
    sqlite_where=sa.text('verified_at IS NOT NULL'), postgresql_where=sa.text('verified_at IS NOT NULL'))
    op.create_table('domain_joins',
    sa.Column('organization_id', sa.String(length=64), nullable=False),
    sa.Column('user_id', sa.String(length=64), nullable=False),
    sa.Column('domain', sa.String(length=128), nullable=True),
    sa.Column('noted_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('seen_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('organization_id', 'user_id', name=op.f('pk_domain_joins'))
    )


def downgrade() -> None:
    op.drop_table('domain_joins')
    op.drop_table('email_domains')
