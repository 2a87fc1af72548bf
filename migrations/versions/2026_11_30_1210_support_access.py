"""support access

Revision ID: 3c7e5a90b1d4
Revises: 6f8d9991cae3
"""

import sqlalchemy as sa
from alembic import op

revision = '3c7e5a90b1d4'
down_revision = '6f8d9991cae3'
branch_labels = None
depends_on = None

_KEPT = ('organization_id', 'id', 'occurred_at', 'actor_type', 'action', 'target_type', 'outcome', 'request_id')
_TEXTS = ('actor_id', 'actor_name', 'target_id', 'target_name')
_BEHALF = ('behalf_id', 'behalf_name')  # empty in most events
_JSON = ('before', 'after', 'decision')


def _text(row: str, column: str) -> str:
    """A column as it is compared: a text as a JSON list of one text, or JSON as text."""
    if column in _TEXTS:
        return f"'[\"' || {row}.{column} || '\"]'"
    if column in _BEHALF:
        return f"COALESCE('[\"' || {row}.{column} || '\"]', '')"
    return f'COALESCE(CAST({row}."{column}" AS TEXT), \'\')'


def _redacted(texts: tuple[str, ...]) -> str:
    """A query that finds a row if a redaction allows the update of OLD to NEW."""
    whole = ' || '.join(_text('OLD', column) for column in (*texts, *_JSON))
    conditions = [
        'r.organization_id = OLD.organization_id',
        f"REPLACE({whole}, r.marker, '') <> {whole}",
        *(f'NEW.{column} = OLD.{column}' for column in _KEPT),
        *(
            f'{_text("NEW", column)} = REPLACE({_text("OLD", column)}, r.wanted, r.replacement)'
            for column in (*texts, *_JSON)
        ),
        "(NEW.address = OLD.address OR (NEW.address = '' AND OLD.actor_id = r.marker))",
    ]
    return f'SELECT 1 FROM audit_redactions AS r WHERE {" AND ".join(conditions)}'


def _check_updates(texts: tuple[str, ...]) -> None:
    """Let updates of events pass that a redaction allows, in these columns and those with JSON."""
    refuse = "'audit_events is append-only'"
    if op.get_bind().dialect.name == 'postgresql':
        op.execute(
            'CREATE OR REPLACE FUNCTION redact_audit_events() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN '
            f'IF NOT EXISTS ({_redacted(texts)}) THEN RAISE EXCEPTION {refuse}; END IF; '
            'RETURN NEW; END $$'
        )
        return
    op.execute('DROP TRIGGER audit_events_no_update')
    op.execute(
        'CREATE TRIGGER audit_events_no_update BEFORE UPDATE ON audit_events '
        f'WHEN NOT EXISTS ({_redacted(texts)}) BEGIN SELECT RAISE(ABORT, {refuse}); END'
    )


def upgrade() -> None:
    op.create_table(
        'support_accesses',
        sa.Column('organization_id', sa.String(length=64), nullable=False),
        sa.Column('id', sa.Uuid(), nullable=False),
        sa.Column('cookie_hash', sa.LargeBinary(length=32), nullable=False),
        sa.Column('agent_id', sa.String(length=64), nullable=False),
        sa.Column('agent_name', sa.String(length=320), nullable=False),
        sa.Column('agent_session_id', sa.Uuid(), nullable=False),
        sa.Column('member_id', sa.String(length=64), nullable=False),
        sa.Column('member_name', sa.String(length=320), nullable=False),
        sa.Column('reason', sa.String(length=500), nullable=False),
        sa.Column('ticket', sa.String(length=64), nullable=False),
        sa.Column('writes', sa.Boolean(), nullable=False),
        sa.Column('scopes_organization', sa.Text(), nullable=False),
        sa.Column('scopes_api', sa.Text(), nullable=False),
        sa.Column('member_version', sa.Integer(), nullable=False),
        sa.Column('agent_version', sa.Integer(), nullable=False),
        sa.Column('started_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('ends_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('ended_by', sa.String(length=64), nullable=True),
        sa.Column('ended_by_name', sa.String(length=320), nullable=True),
        sa.PrimaryKeyConstraint('organization_id', 'id', name=op.f('pk_support_accesses')),
        sa.UniqueConstraint('cookie_hash', name=op.f('uq_support_accesses_cookie_hash')),
    )
    op.create_index('ix_support_accesses_agent_id', 'support_accesses', ['agent_id', 'id'])
    op.create_index(
        'ix_support_accesses_member_id', 'support_accesses', ['organization_id', 'member_id', 'id']
    )
    op.create_index(op.f('ix_support_accesses_ends_at'), 'support_accesses', ['ends_at'])

    off = sa.false()
    for column in (
        sa.Column('support_allowed', sa.Boolean(), server_default=off, nullable=False),
        sa.Column('support_until', sa.DateTime(timezone=True), nullable=True),
        sa.Column('support_writes', sa.Boolean(), server_default=off, nullable=False),
    ):
        op.add_column('organization_options', column)

    # not in a batch, which would copy the table on SQLite and lose its triggers
    op.add_column('audit_events', sa.Column('behalf_id', sa.String(length=64), nullable=True))
    op.add_column('audit_events', sa.Column('behalf_name', sa.String(length=320), nullable=True))
    _check_updates((*_TEXTS, *_BEHALF))


def downgrade() -> None:
    _check_updates(_TEXTS)
    for name in reversed(_BEHALF):
        op.drop_column('audit_events', name)
    if op.get_bind().dialect.name == 'postgresql':  # it names a column; 'saas-app migrate' makes the older one
        op.execute('DROP POLICY IF EXISTS visible_rows ON organization_options')
    for name in ('support_writes', 'support_until', 'support_allowed'):
        op.drop_column('organization_options', name)
    op.drop_table('support_accesses')
