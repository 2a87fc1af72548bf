"""searching by index

Revision ID: 4b8f1c6d2e97
Revises: 5e0c7a91d3b8
"""

import sqlalchemy as sa
from alembic import op

from saas_app.errors import ConfigurationError

revision = '4b8f1c6d2e97'
down_revision = '5e0c7a91d3b8'
branch_labels = None
depends_on = None

_EXTENSIONS = ('pg_trgm', 'btree_gin')
_DENIED = sa.text("outcome = 'denied'")
_PENDING = {'gin_pending_list_limit': 256}
_ORGANIZATIONS = 100
_LARGE = ('projects', 'project_names', 'tasks', 'audit_events')
_NAME_EXISTS = (
    "SELECT 1 FROM audit_actors WHERE organization_id = NEW.organization_id "
    "AND actor_id = NEW.actor_id AND name = NEW.actor_name"
)


def upgrade() -> None:
    postgresql = op.get_bind().dialect.name == 'postgresql'
    if postgresql:
        _require_extensions()
    op.create_table(
        'project_names',
        sa.Column('folded_name', sa.String(length=360), nullable=False),
        sa.Column('organization_id', sa.String(length=64), nullable=False),
        sa.Column('id', sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ['organization_id', 'id'],
            ['projects.organization_id', 'projects.id'],
            name=op.f('fk_project_names_organization_id_id'),
            ondelete='CASCADE',
        ),
        sa.PrimaryKeyConstraint('organization_id', 'id', name=op.f('pk_project_names')),
    )
    op.create_table(
        'audit_actors',
        sa.Column('actor_id', sa.String(length=64), nullable=False),
        sa.Column('name', sa.String(length=320), nullable=False),
        sa.Column('organization_id', sa.String(length=64), nullable=False),
        sa.Column('id', sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint('organization_id', 'id', name=op.f('pk_audit_actors')),
        sa.UniqueConstraint(
            'organization_id', 'actor_id', 'name', name=op.f('uq_audit_actors_organization_id_actor_id_name')
        ),
    )
    # The triggers come first: they lock the tables, so that no row is missed between them and the copies.
    (_postgresql_triggers if postgresql else _sqlite_triggers)()
    _copy()
    op.create_index(
        'ix_audit_events_denied', 'audit_events', ['organization_id', 'id'], if_not_exists=True,
        postgresql_where=_DENIED, sqlite_where=_DENIED,
    )  # fmt: skip
    op.create_index(
        'ix_audit_events_actor_action', 'audit_events', ['organization_id', 'actor_id', 'action', 'id'], if_not_exists=True
    )
    if postgresql:
        for name, table, columns, text in _SEARCHED:
            op.create_index(
                name, table, [*columns, text], if_not_exists=True,
                postgresql_using='gin', postgresql_ops={text: 'gin_trgm_ops'}, postgresql_with=_PENDING,
            )  # fmt: skip
        _expect_large_organizations(f'SET (n_distinct = {_ORGANIZATIONS})')


_SEARCHED = (
    ('ix_project_names_search', 'project_names', ['organization_id'], 'folded_name'),
    ('ix_audit_events_search', 'audit_events', ['organization_id', 'address'], 'target_name'),
)


def _require_extensions() -> None:
    for name in _EXTENSIONS:
        try:
            op.execute(f'CREATE EXTENSION IF NOT EXISTS {name}')
        except sa.exc.DBAPIError as error:
            raise ConfigurationError(
                f'PostgreSQL could not install its extension {name}, which searches need. Install the '
                f'server’s “contrib” package if it is missing, and run CREATE EXTENSION {name} in this '
                'database as its owner or as a superuser. Then migrate again.'
            ) from error


def _copy() -> None:
    op.execute(
        'INSERT INTO project_names (organization_id, id, folded_name) '
        'SELECT organization_id, id, folded_name FROM projects'
    )
    # The id of any event with the name will do, and the smallest is the first. PostgreSQL has no min(uuid).
    op.execute(
        'INSERT INTO audit_actors (organization_id, id, actor_id, name) '
        'SELECT organization_id, id, actor_id, actor_name FROM ('
        'SELECT organization_id, id, actor_id, actor_name, row_number() OVER ('
        'PARTITION BY organization_id, actor_id, actor_name ORDER BY id) AS place FROM audit_events'
        ') AS named WHERE place = 1'
    )


def _expect_large_organizations(setting: str) -> None:
    """Tell the planner that any organization may be large.

    It keeps a statement's plan for all organizations. With the true number of organizations it would expect a
    handful of rows for each, and choose plans that read every row of a large one.
    """
    for table in _LARGE:
        op.execute(f'ALTER TABLE {table} ALTER COLUMN organization_id {setting}')


def _postgresql_triggers() -> None:
    op.execute(
        'CREATE FUNCTION note_project_name() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN '
        "IF TG_OP = 'INSERT' THEN "
        'INSERT INTO project_names (organization_id, id, folded_name) '
        'VALUES (NEW.organization_id, NEW.id, NEW.folded_name); '
        'ELSE '
        'UPDATE project_names SET folded_name = NEW.folded_name '
        'WHERE organization_id = NEW.organization_id AND id = NEW.id; '
        'END IF; RETURN NULL; END $$'
    )
    op.execute(
        'CREATE TRIGGER projects_name_added AFTER INSERT ON projects '
        'FOR EACH ROW EXECUTE FUNCTION note_project_name()'
    )
    op.execute(
        'CREATE TRIGGER projects_name_changed AFTER UPDATE OF folded_name ON projects FOR EACH ROW '
        'WHEN (NEW.folded_name IS DISTINCT FROM OLD.folded_name) EXECUTE FUNCTION note_project_name()'
    )
    op.execute(
        'CREATE FUNCTION note_audit_actor() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN '
        f'IF NOT EXISTS ({_NAME_EXISTS}) THEN '
        'INSERT INTO audit_actors (organization_id, id, actor_id, name) '
        'VALUES (NEW.organization_id, NEW.id, NEW.actor_id, NEW.actor_name) ON CONFLICT DO NOTHING; '
        'END IF; RETURN NULL; END $$'
    )
    op.execute(
        'CREATE TRIGGER audit_events_actor AFTER INSERT ON audit_events '
        'FOR EACH ROW EXECUTE FUNCTION note_audit_actor()'
    )
    op.execute(
        'CREATE FUNCTION refuse_actor_change() RETURNS trigger LANGUAGE plpgsql AS '
        "$$ BEGIN RAISE EXCEPTION 'audit_actors is append-only'; END $$"
    )
    op.execute(
        'CREATE TRIGGER audit_actors_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_actors '
        'FOR EACH STATEMENT EXECUTE FUNCTION refuse_actor_change()'
    )


def _sqlite_triggers() -> None:
    op.execute(
        'CREATE TRIGGER projects_name_added AFTER INSERT ON projects BEGIN '
        'INSERT INTO project_names (organization_id, id, folded_name) '
        'VALUES (NEW.organization_id, NEW.id, NEW.folded_name); END'
    )
    op.execute(
        'CREATE TRIGGER projects_name_changed AFTER UPDATE OF folded_name ON projects '
        'WHEN NEW.folded_name <> OLD.folded_name BEGIN '
        'UPDATE project_names SET folded_name = NEW.folded_name '
        'WHERE organization_id = NEW.organization_id AND id = NEW.id; END'
    )
    op.execute(
        f'CREATE TRIGGER audit_events_actor AFTER INSERT ON audit_events WHEN NOT EXISTS ({_NAME_EXISTS}) '
        'BEGIN INSERT INTO audit_actors (organization_id, id, actor_id, name) '
        'VALUES (NEW.organization_id, NEW.id, NEW.actor_id, NEW.actor_name); END'
    )
    for verb in ('UPDATE', 'DELETE'):
        op.execute(
            f'CREATE TRIGGER audit_actors_no_{verb.lower()} BEFORE {verb} ON audit_actors '
            "BEGIN SELECT RAISE(ABORT, 'audit_actors is append-only'); END"
        )
    op.execute(  # INSERT OR REPLACE removes a row without the trigger on DELETE
        'CREATE TRIGGER audit_actors_no_replace BEFORE INSERT ON audit_actors '
        'WHEN EXISTS (SELECT 1 FROM audit_actors WHERE organization_id = NEW.organization_id AND '
        '(id = NEW.id OR (actor_id = NEW.actor_id AND name = NEW.name))) '
        "BEGIN SELECT RAISE(ABORT, 'audit_actors is append-only'); END"
    )


def downgrade() -> None:
    postgresql = op.get_bind().dialect.name == 'postgresql'
    if postgresql:
        _expect_large_organizations('RESET (n_distinct)')
        op.drop_index('ix_audit_events_search', 'audit_events')  # the other one goes with its table
    for name in ('ix_audit_events_denied', 'ix_audit_events_actor_action'):
        op.drop_index(name, 'audit_events')
    of_table = {
        'projects_name_added': 'projects',
        'projects_name_changed': 'projects',
        'audit_events_actor': 'audit_events',
    }
    for name, table in of_table.items():
        op.execute(f'DROP TRIGGER IF EXISTS {name}' + (f' ON {table}' if postgresql else ''))
    op.drop_table('audit_actors')
    op.drop_table('project_names')
    if postgresql:
        for function in ('note_project_name', 'note_audit_actor', 'refuse_actor_change'):
            op.execute(f'DROP FUNCTION {function}()')
