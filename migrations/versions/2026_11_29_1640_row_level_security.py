"""row-level security

Adds the procedures that begin and end transactions. After the last migration, the environment makes the
policies that the tables declare (saas_app/db/row_security.py).

Revision ID: 7d2e9c4f1a60
Revises: 8d2f4a6c1b90
"""

from alembic import op

revision = '7d2e9c4f1a60'
down_revision = '8d2f4a6c1b90'
branch_labels = None
depends_on = None

_CHANGED = """
    RAISE EXCEPTION 'the transaction belongs to another organization or key' USING ERRCODE = 'WR001';
"""
_ENTER = f"""
CREATE PROCEDURE workroom_enter(organization text, chosen_key text) LANGUAGE plpgsql AS $$
BEGIN
  IF current_setting('workroom.organization_id', true) NOT IN ('', organization)
     OR current_setting('workroom.key', true) NOT IN ('', chosen_key) THEN {_CHANGED}
  END IF;
  EXECUTE format('SET LOCAL workroom.organization_id = %L', organization);
  EXECUTE format('SET LOCAL workroom.key = %L', chosen_key);
END $$
"""
_LEAVE = f"""
CREATE PROCEDURE workroom_leave(organization text, chosen_key text) LANGUAGE plpgsql AS $$
BEGIN
  IF current_setting('workroom.organization_id', true) IS DISTINCT FROM organization
     OR current_setting('workroom.key', true) IS DISTINCT FROM chosen_key THEN {_CHANGED}
  END IF;
END $$
"""


def upgrade() -> None:
    if op.get_bind().dialect.name == 'postgresql':
        op.execute(_ENTER)
        op.execute(_LEAVE)


def downgrade() -> None:
    """Remove the procedures, and the policies, which an older version does not expect."""
    if op.get_bind().dialect.name != 'postgresql':
        return
    op.execute("""
        DO $$ DECLARE found record; BEGIN
          FOR found IN SELECT policyname, tablename FROM pg_policies WHERE schemaname = current_schema() LOOP
            EXECUTE format('DROP POLICY %I ON %I', found.policyname, found.tablename);
            EXECUTE format('ALTER TABLE %I DISABLE ROW LEVEL SECURITY', found.tablename);
          END LOOP;
        END $$
    """)
    op.execute('DROP PROCEDURE workroom_enter(text, text)')
    op.execute('DROP PROCEDURE workroom_leave(text, text)')
