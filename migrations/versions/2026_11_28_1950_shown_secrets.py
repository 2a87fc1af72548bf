"""shown secrets

Revision ID: 7c1d94e2a0f6
Revises: 0d4e7a91c3b5
"""

import sqlalchemy as sa
from alembic import op


revision = '7c1d94e2a0f6'
down_revision = '0d4e7a91c3b5'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'shown_secrets',
        sa.Column('session_id', sa.Uuid(), nullable=False),
        sa.Column('name', sa.String(length=160), nullable=False),
        sa.Column('payload', sa.LargeBinary(), nullable=False),
        sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ['session_id'], ['sessions.id'], name=op.f('fk_shown_secrets_session_id_sessions'), ondelete='CASCADE'
        ),
        sa.PrimaryKeyConstraint('session_id', 'name', name=op.f('pk_shown_secrets')),
    )
    op.create_index(op.f('ix_shown_secrets_expires_at'), 'shown_secrets', ['expires_at'])


def downgrade() -> None:
    op.drop_index(op.f('ix_shown_secrets_expires_at'), table_name='shown_secrets')
    op.drop_table('shown_secrets')
