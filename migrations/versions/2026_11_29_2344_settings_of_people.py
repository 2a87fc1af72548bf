"""settings of people

Revision ID: 53dc300f8bf7
Revises: 7d2e9c4f1a60
"""

import sqlalchemy as sa
from alembic import op

revision = '53dc300f8bf7'
down_revision = '7d2e9c4f1a60'
branch_labels = None
depends_on = None

def upgrade() -> None:
    with op.batch_alter_table('users', schema=None) as batch_op:
        batch_op.add_column(sa.Column('language', sa.String(length=35), nullable=True))
        batch_op.add_column(sa.Column('zone', sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column('theme', sa.String(length=8), nullable=True))

def downgrade() -> None:
    with op.batch_alter_table('users', schema=None) as batch_op:
        batch_op.drop_column('theme')
        batch_op.drop_column('zone')
        batch_op.drop_column('language')

