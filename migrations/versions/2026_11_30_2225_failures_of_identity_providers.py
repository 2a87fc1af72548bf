"""failures of identity providers

Revision ID: 7c434b5f7db2
Revises: c81d5e07b2f4
"""

import sqlalchemy as sa
from alembic import op

revision = '7c434b5f7db2'
down_revision = 'c81d5e07b2f4'
branch_labels = None
depends_on = None


def upgrade() -> None:
    failure = sa.Enum(
        *('credentials', 'request', 'unreachable', 'metadata', 'keys', 'tokens'),
        name='ssofailure',
        native_enum=False,
        length=16,
    )
    op.add_column('sso_connections', sa.Column('failing_since', sa.DateTime(timezone=True), nullable=True))
    op.add_column('sso_connections', sa.Column('failure', failure, nullable=True))


def downgrade() -> None:
    op.drop_column('sso_connections', 'failure')
    op.drop_column('sso_connections', 'failing_since')
