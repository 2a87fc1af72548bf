"""callbacks opened twice, and kept forms

Revision ID: 3b8f0a6c51d2
Revises: a3c1e07d5b64
"""

import sqlalchemy as sa
from alembic import op


revision = '3b8f0a6c51d2'
down_revision = 'a3c1e07d5b64'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        'sign_in_attempts', sa.Column('taken_at', sa.DateTime(timezone=True), nullable=True)
    )
    op.create_table(
        'kept_forms',
        sa.Column('handle_hash', sa.LargeBinary(length=32), nullable=False),
        sa.Column('browser_hash', sa.LargeBinary(length=32), nullable=False),
        sa.Column('owner', sa.String(length=64), nullable=False),
        sa.Column('payload', sa.LargeBinary(), nullable=False),
        sa.Column('kept_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('shown_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint('handle_hash', name=op.f('pk_kept_forms')),
    )
    op.create_index(op.f('ix_kept_forms_owner'), 'kept_forms', ['owner'])
    op.create_index(op.f('ix_kept_forms_expires_at'), 'kept_forms', ['expires_at'])


def downgrade() -> None:
    op.drop_index(op.f('ix_kept_forms_expires_at'), table_name='kept_forms')
    op.drop_index(op.f('ix_kept_forms_owner'), table_name='kept_forms')
    op.drop_table('kept_forms')
    with op.batch_alter_table('sign_in_attempts') as table:
        table.drop_column('taken_at')
