"""email notifications

Revision ID: 604ed61cea7a
Revises: 5cb013d00d95
"""

import sqlalchemy as sa
from alembic import op


revision = '604ed61cea7a'
down_revision = '5cb013d00d95'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('notifications', schema=None) as batch_op:
        batch_op.add_column(sa.Column('email_due_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('email_attempts', sa.Integer(), server_default='0', nullable=False))
        batch_op.create_index(
            'ix_notifications_email_due_at',
            ['email_due_at'],
            sqlite_where=sa.text('email_due_at IS NOT NULL'),
            postgresql_where=sa.text('email_due_at IS NOT NULL'),
        )
    with op.batch_alter_table('users', schema=None) as batch_op:
        batch_op.add_column(sa.Column('email_language', sa.String(length=35), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table('users', schema=None) as batch_op:
        batch_op.drop_column('email_language')
    with op.batch_alter_table('notifications', schema=None) as batch_op:
        batch_op.drop_index('ix_notifications_email_due_at')
        batch_op.drop_column('email_attempts')
        batch_op.drop_column('email_due_at')
