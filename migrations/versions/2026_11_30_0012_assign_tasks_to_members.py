"""assign tasks to members

Revision ID: a7b62eed884f
Revises: 53dc300f8bf7
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
            'ix_tasks_organization_id_assignee_id_project_id', ['organization_id', 'assignee_id', 'project_id']
        )


def downgrade() -> None:
    with op.batch_alter_table('tasks', schema=None) as batch_op:
        batch_op.drop_index('ix_tasks_organization_id_assignee_id_project_id')
        batch_op.drop_column('assignee_id')
