"""grounds, runs and classes of the lab

Revision ID: d4b5b1c9d2d2
Revises: 604ed61cea7a
"""

import sqlalchemy as sa
from alembic import op


revision = 'd4b5b1c9d2d2'
down_revision = '604ed61cea7a'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('lab_class_members',
    sa.Column('code', sa.String(length=16), nullable=False),
    sa.Column('subject', sa.String(length=64), nullable=False),
    sa.Column('joined_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('name', sa.String(length=128), nullable=True),
    sa.PrimaryKeyConstraint('code', 'subject', name=op.f('pk_lab_class_members'))
    )
    with op.batch_alter_table('lab_class_members', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_lab_class_members_subject'), ['subject'], unique=False)

    op.create_table('lab_classes',
    sa.Column('code', sa.String(length=16), nullable=False),
    sa.Column('teacher', sa.String(length=64), nullable=False),
    sa.Column('title', sa.String(length=128), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('revealed', sa.JSON(), nullable=False),
    sa.Column('closed_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('code', name=op.f('pk_lab_classes'))
    )
    with op.batch_alter_table('lab_classes', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_lab_classes_created_at'), ['created_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_lab_classes_teacher'), ['teacher'], unique=False)

    op.create_table('lab_grounds',
    sa.Column('subject', sa.String(length=64), nullable=False),
    sa.Column('state', sa.Enum('building', 'ready', 'removing', name='groundstate', native_enum=False, length=16), nullable=False),
    sa.Column('admin_organization_id', sa.String(length=64), nullable=True),
    sa.Column('viewer_organization_id', sa.String(length=64), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('used_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('subject', name=op.f('pk_lab_grounds'))
    )
    with op.batch_alter_table('lab_grounds', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_lab_grounds_used_at'), ['used_at'], unique=False)

    op.create_table('lab_players',
    sa.Column('subject', sa.String(length=64), nullable=False),
    sa.Column('name', sa.String(length=16), nullable=False),
    sa.Column('user_id', sa.String(length=64), nullable=False),
    sa.Column('username', sa.String(length=128), nullable=False),
    sa.Column('secrets', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('subject', 'name', name=op.f('pk_lab_players'))
    )
    op.create_table('lab_runs',
    sa.Column('subject', sa.String(length=64), nullable=False),
    sa.Column('lesson', sa.String(length=64), nullable=False),
    sa.Column('prediction', sa.String(length=64), nullable=True),
    sa.Column('predicted_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('class_code', sa.String(length=16), nullable=True),
    sa.Column('before', sa.JSON(), nullable=True),
    sa.Column('evidence', sa.JSON(), nullable=True),
    sa.Column('answer', sa.String(length=64), nullable=True),
    sa.Column('done_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('subject', 'lesson', name=op.f('pk_lab_runs'))
    )
    with op.batch_alter_table('lab_runs', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_lab_runs_class_code'), ['class_code'], unique=False)



def downgrade() -> None:
    for name in ('lab_runs', 'lab_players', 'lab_grounds', 'lab_classes', 'lab_class_members'):
        op.drop_table(name)
