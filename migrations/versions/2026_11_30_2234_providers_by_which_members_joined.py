"""providers by which members joined

Revision ID: 64aa338f1079
Revises: 7c434b5f7db2
"""

import sqlalchemy as sa
from alembic import op


revision = '64aa338f1079'
down_revision = '7c434b5f7db2'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('domain_joins', sa.Column('provider', sa.String(length=64), nullable=True))


def downgrade() -> None:
    op.drop_column('domain_joins', 'provider')
