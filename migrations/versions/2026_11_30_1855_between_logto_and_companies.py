"""between logto and companies

Connections from before have to be set up again: Logto has their secrets, and asked their providers itself.

Revision ID: 3f3568c32b93
Revises: fb6d604720cc
"""

import sqlalchemy as sa
from alembic import op

revision = '3f3568c32b93'
down_revision = 'fb6d604720cc'
branch_labels = None
depends_on = None

_CONNECTIONS = sa.table(
    'sso_connections',
    *(sa.column(name) for name in ('issuer', 'tested_at', 'tested_by', 'on_at', 'required_at', 'recovery_id')),
)


def upgrade() -> None:
    op.create_table(
        'sso_people',
        sa.Column('company_subject', sa.String(length=255), nullable=False),
        sa.Column('subject', sa.String(length=64), nullable=False),
        sa.Column('user_id', sa.String(length=64), nullable=True),
        sa.Column('organization_id', sa.String(length=64), nullable=False),
        sa.Column('id', sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint('organization_id', 'id', name=op.f('pk_sso_people')),
        sa.UniqueConstraint(
            'organization_id', 'company_subject', name=op.f('uq_sso_people_organization_id_company_subject')
        ),
        sa.UniqueConstraint('organization_id', 'subject', name=op.f('uq_sso_people_organization_id_subject')),
    )
    op.create_table(
        'sso_secrets',
        sa.Column('client_secret', sa.LargeBinary(), nullable=False),
        sa.Column('organization_id', sa.String(length=64), nullable=False),
        sa.Column('id', sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint('organization_id', 'id', name=op.f('pk_sso_secrets')),
        sa.UniqueConstraint('organization_id', name=op.f('uq_sso_secrets_organization_id')),
    )
    nothing = dict.fromkeys(('tested_at', 'tested_by', 'on_at', 'required_at', 'recovery_id'))
    op.execute(_CONNECTIONS.update().values(issuer='', **nothing))


def downgrade() -> None:
    op.drop_table('sso_secrets')
    op.drop_table('sso_people')
