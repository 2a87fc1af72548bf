"""assign tasks to members

Revision ID: a7b62eed884f
Revises: d88a699191ba
"""

import sqlalchemy as sa
from alembic import op


revision = 'a7b62eed884f'
down_revision = 'd88a699191ba'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('tasks', schema=None) as batch_op:
        batch_op.add_column(sa.Column('assignee_id', sa.String(length=64), nullable=True))
        batch_op.create_index(
            'ix_tasks_organization_id_assignee_id_project_id',
            ['organization_id', 'assignee_id', 'project_id'],
            sqlite_where=sa.text('assignee_id IS NOT NULL'),
            postgresql_where=sa.text('assignee_id IS NOT NULL'),
        )


def downgrade() -> None:
    if op.get_bind().dialect.name == 'postgresql':  # it reads the column; saas-app migrate writes it again
        op.execute('DROP POLICY IF EXISTS visible_rows ON users')
    with op.batch_alter_table('tasks', schema=None) as batch_op:
        batch_op.drop_index('ix_tasks_organization_id_assignee_id_project_id')
        batch_op.drop_column('assignee_id')
