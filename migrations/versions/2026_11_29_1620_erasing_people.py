"""erasing people

Revision ID: 8d2f4a6c1b90
Revises: 4b8f1c6d2e97
"""

import sqlalchemy as sa
from alembic import op

revision = '8d2f4a6c1b90'
down_revision = '4b8f1c6d2e97'
branch_labels = None
depends_on = None

_KEPT = ('organization_id', 'id', 'occurred_at', 'actor_type', 'action', 'target_type', 'outcome', 'request_id')
_TEXTS = ('actor_id', 'actor_name', 'target_id', 'target_name')
_JSON = ('before', 'after', 'decision')


def _text(row: str, column: str) -> str:
    """A column as it is compared: a text as a JSON list of one text, or JSON as text."""
    if column in _TEXTS:
        return f"'[\"' || {row}.{column} || '\"]'"
    return f'COALESCE(CAST({row}."{column}" AS TEXT), \'\')'


def _redacted() -> str:
    """A query that finds a row if a redaction allows the update of OLD to NEW."""
    whole = ' || '.join(_text('OLD', column) for column in (*_TEXTS, *_JSON))
    conditions = [
        'r.organization_id = OLD.organization_id',
        f"REPLACE({whole}, r.marker, '') <> {whole}",
        *(f'NEW.{column} = OLD.{column}' for column in _KEPT),
        *(
            f'{_text("NEW", column)} = REPLACE({_text("OLD", column)}, r.wanted, r.replacement)'
            for column in (*_TEXTS, *_JSON)
        ),
        "(NEW.address = OLD.address OR (NEW.address = '' AND OLD.actor_id = r.marker))",
    ]
    return f'SELECT 1 FROM audit_redactions AS r WHERE {" AND ".join(conditions)}'


_ACTOR_ERASED = (
    'SELECT 1 FROM audit_redactions AS r '
    'WHERE r.organization_id = OLD.organization_id AND r.marker = OLD.actor_id'
)


def upgrade() -> None:
    op.create_table(
        'erasures',
        sa.Column('subject_hash', sa.LargeBinary(length=32), nullable=False),
        sa.Column('pseudonym', sa.String(length=64), nullable=False),
        sa.Column('begun_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('finished_at', sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint('subject_hash', name=op.f('pk_erasures')),
        sa.UniqueConstraint('pseudonym', name=op.f('uq_erasures_pseudonym')),
    )
    op.create_table(
        'audit_redactions',
        sa.Column('marker', sa.Text(), nullable=False),
        sa.Column('wanted', sa.Text(), nullable=False),
        sa.Column('replacement', sa.Text(), nullable=False),
        sa.Column('organization_id', sa.String(length=64), nullable=False),
        sa.Column('id', sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint('organization_id', 'id', name=op.f('pk_audit_redactions')),
    )
    if op.get_bind().dialect.name == 'postgresql':
        _allow_on_postgresql()
    else:
        _allow_on_sqlite()


def _allow_on_postgresql() -> None:
    """Check updates of events and deletions of actors row by row. Everything else is refused as before."""
    _replace_trigger('audit_events', 'refuse_audit_change', 'DELETE OR TRUNCATE')
    _replace_trigger('audit_actors', 'refuse_actor_change', 'UPDATE OR TRUNCATE')
    for table, verb, allowed, result in (
        ('audit_events', 'UPDATE', _redacted(), 'NEW'),
        ('audit_actors', 'DELETE', _ACTOR_ERASED, 'OLD'),
    ):
        op.execute(
            f'CREATE FUNCTION redact_{table}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN '
            f"IF NOT EXISTS ({allowed}) THEN RAISE EXCEPTION '{table} is append-only'; END IF; "
            f'RETURN {result}; END $$'
        )
        op.execute(
            f'CREATE TRIGGER {table}_redacted BEFORE {verb} ON {table} '
            f'FOR EACH ROW EXECUTE FUNCTION redact_{table}()'
        )


def _replace_trigger(table: str, function: str, verbs: str) -> None:
    op.execute(f'DROP TRIGGER {table}_append_only ON {table}')
    op.execute(
        f'CREATE TRIGGER {table}_append_only BEFORE {verbs} ON {table} '
        f'FOR EACH STATEMENT EXECUTE FUNCTION {function}()'
    )


def _allow_on_sqlite() -> None:
    _sqlite_trigger('audit_events', 'update', f'WHEN NOT EXISTS ({_redacted()}) ')
    _sqlite_trigger('audit_actors', 'delete', f'WHEN NOT EXISTS ({_ACTOR_ERASED}) ')


def _sqlite_trigger(table: str, verb: str, condition: str = '') -> None:
    op.execute(f'DROP TRIGGER {table}_no_{verb}')
    op.execute(
        f'CREATE TRIGGER {table}_no_{verb} BEFORE {verb.upper()} ON {table} {condition}'
        f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
    )


def downgrade() -> None:
    if op.get_bind().dialect.name == 'postgresql':
        for table, function in (
            ('audit_events', 'refuse_audit_change'),
            ('audit_actors', 'refuse_actor_change'),
        ):
            op.execute(f'DROP TRIGGER {table}_redacted ON {table}')
            op.execute(f'DROP FUNCTION redact_{table}()')
            _replace_trigger(table, function, 'UPDATE OR DELETE OR TRUNCATE')
    else:
        _sqlite_trigger('audit_events', 'update')
        _sqlite_trigger('audit_actors', 'delete')
    op.drop_table('audit_redactions')
    op.drop_table('erasures')
