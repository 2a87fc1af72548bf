"""add logos and colors of organizations

Revision ID: 5cb013d00d95
Revises: a7b62eed884f
"""

import sqlalchemy as sa
from alembic import op

revision = '5cb013d00d95'
down_revision = 'a7b62eed884f'
branch_labels = None
depends_on = None

def upgrade() -> None:
    with op.batch_alter_table('organizations', schema=None) as batch_op:
        batch_op.add_column(sa.Column('logo', sa.String(length=2048), nullable=True))
        batch_op.add_column(sa.Column('dark_logo', sa.String(length=2048), nullable=True))
        batch_op.add_column(sa.Column('color', sa.String(length=7), nullable=True))

def downgrade() -> None:
    with op.batch_alter_table('organizations', schema=None) as batch_op:
        batch_op.drop_column('color')
        batch_op.drop_column('dark_logo')
        batch_op.drop_column('logo')
