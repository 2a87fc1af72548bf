"""Row-level security: raw SQL on the application's own role reads and writes nothing of others."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator

import asyncpg
import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from saas_app.db import keys
from saas_app.db.base import APPENDED, Base, granted_on, is_tenant_owned, new_uuid, visible_rows
from saas_app.db.engine import create_engine
from saas_app.db.keys import Key
from saas_app.db.tenant_scope import OutsideTenant
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.models import MembershipChange, Project, SessionRow, SessionToken, User
from tests.databases import ON_CITUS, Database, postgresql_server
from tests.integration.database.any_rows import insert_two_tenants

pytestmark = pytest.mark.skipif(not postgresql_server(), reason="SQLite has no row-level security")

weaker_on_citus = pytest.mark.skipif(
    ON_CITUS, reason="on Citus, the policy of users allows more (User.__visible_copied_rows__)"
)

TABLES = Base.metadata.sorted_tables
PROTECTED = [table for table in TABLES if visible_rows(table) and granted_on(table)]
OWNED = [table for table in PROTECTED if is_tenant_owned(table)]
UNUSED = [table for table in TABLES if not granted_on(table)]


def named(table: sa.Table) -> str:
    return table.name


@pytest.fixture
async def admin(database: Database) -> AsyncIterator[AsyncConnection]:
    """A superuser's connection, for what the application could never do."""
    engine = create_async_engine(database.admin_url, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        yield connection
    await engine.dispose()


@pytest.fixture
async def engine(database: Database) -> AsyncIterator[AsyncEngine]:
    """An engine with the application's own role, and one connection."""
    engine = create_engine(database.url, pool_size=1)
    yield engine
    await engine.dispose()


@pytest.fixture
async def raw(database: Database) -> AsyncIterator[asyncpg.Connection]:
    """The application's own role, without the application."""
    address = sa.make_url(database.url).set(drivername="postgresql")
    connection = await asyncpg.connect(address.render_as_string(hide_password=False))
    if ON_CITUS:  # an attacker allows statements that go to several shards
        await connection.execute("SET citus.multi_task_query_log_level = 'off'")
    yield connection
    await connection.close()


@pytest.fixture(scope="module")
async def two_tenants(database: Database) -> tuple[str, str]:
    """Two organizations with a row in every table that has rows of organizations."""
    return await insert_two_tenants(database.admin_url, PROTECTED)


async def enter(raw: asyncpg.Connection, organization_id: str = "", key: Key | str = "") -> None:
    """Begin a transaction as the application does."""
    await raw.execute("BEGIN")
    await raw.execute(f"CALL workroom_enter('{organization_id}', '{key}')")


async def rollback(raw: asyncpg.Connection) -> None:
    await raw.execute("ROLLBACK")


@pytest.mark.parametrize("table", PROTECTED, ids=named)
async def test_without_an_organization_nothing_can_be_read(
    raw: asyncpg.Connection, two_tenants: tuple[str, str], table: sa.Table
) -> None:
    assert await raw.fetchval(f"SELECT count(*) FROM {table.name} WHERE {_is_foreign(table)}") == 0


@pytest.mark.parametrize("table", PROTECTED, ids=named)
async def test_nothing_of_another_organization_can_be_read(
    raw: asyncpg.Connection, two_tenants: tuple[str, str], table: sa.Table
) -> None:
    own, other = two_tenants
    await enter(raw, own)

    found = {dict(row).get(_owner(table)) for row in await raw.fetch(f"SELECT * FROM {table.name}")}

    assert other not in found
    assert (own in found) or table.name not in {owned.name for owned in OWNED}


@pytest.mark.parametrize("table", OWNED, ids=named)
async def test_nothing_of_another_organization_can_be_changed(
    raw: asyncpg.Connection, two_tenants: tuple[str, str], table: sa.Table
) -> None:
    own, other = two_tenants
    await enter(raw, own)

    if granted_on(table) == APPENDED:
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied"):
            await raw.execute(f"DELETE FROM {table.name}")
    else:
        done = await raw.execute(f"DELETE FROM {table.name} WHERE organization_id = $1", other)
        assert done == "DELETE 0"


@pytest.mark.parametrize("table", UNUSED, ids=named)
async def test_the_tables_of_the_owners_commands_cannot_be_read(
    raw: asyncpg.Connection, table: sa.Table
) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied"):
        await raw.fetch(f"SELECT * FROM {table.name}")


@pytest.mark.parametrize("table", OWNED, ids=named)
async def test_no_row_can_be_given_to_another_organization(
    raw: asyncpg.Connection, two_tenants: tuple[str, str], table: sa.Table
) -> None:
    own, other = two_tenants
    columns = [f'"{column.name}"' for column in table.columns]
    given = ["$1" if name == '"organization_id"' else name for name in columns]
    await enter(raw, own)

    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
        await raw.execute(
            f"INSERT INTO {table.name} ({', '.join(columns)}) SELECT {', '.join(given)} FROM {table.name}",
            other,
        )


async def test_a_session_is_visible_only_by_its_own_keys(
    raw: asyncpg.Connection, admin: AsyncConnection
) -> None:
    first, second = await _insert_session(admin, "ada"), await _insert_session(admin, "bob")

    for key in (keys.of_session(first), keys.of_cookie(first.bytes), keys.of_logto_session(f"sid-{first}")):
        await enter(raw, key=key)
        found = {row["id"] for row in await raw.fetch("SELECT id FROM sessions WHERE expires_at > now()")}
        await rollback(raw)
        assert found == {first}, key
    assert second != first


@pytest.fixture
async def person(admin: AsyncConnection) -> str:
    """A person without a session."""
    person = f"u{uuid.uuid4().hex[:11]}"
    await admin.execute(sa.insert(User).values(id=person, name="Ada", seen_at=sa.func.now()))
    return person


async def sees(raw: asyncpg.Connection, person: str, organization_id: str = "", key: Key | str = "") -> bool:
    """Return whether the application sees a person in a transaction."""
    await enter(raw, organization_id, key)
    found = await raw.fetchval("SELECT true FROM users WHERE id = $1", person)
    await rollback(raw)
    return bool(found)


async def test_a_person_is_visible_by_their_own_key_and_where_they_acted(
    raw: asyncpg.Connection, admin: AsyncConnection, person: str
) -> None:
    organization_id = f"o{uuid.uuid4().hex[:11]}"
    await admin.execute(
        sa.text("INSERT INTO audit_actors (organization_id, id, actor_id, name) VALUES (:o, :id, :u, 'Ada')"),
        {"o": organization_id, "id": new_uuid(), "u": person},
    )

    assert await sees(raw, person, key=keys.of_person(person))
    assert await sees(raw, person, organization_id)
    assert not await sees(raw, person)


@pytest.mark.parametrize(
    "key", [keys.of_person("somebody"), keys.of_domain("example.com"), keys.of_organizations(["acme"])]
)
async def test_a_person_is_hidden_from_other_people(raw: asyncpg.Connection, person: str, key: Key) -> None:
    assert not await sees(raw, person, key=key)


@weaker_on_citus
async def test_a_person_is_hidden_where_they_did_nothing(raw: asyncpg.Connection, person: str) -> None:
    assert not await sees(raw, person, "elsewhere", keys.of_person("somebody"))


@pytest.fixture
async def expired_session(admin: AsyncConnection, person: str) -> uuid.UUID:
    """A session of the person that has expired, with a token."""
    session_id = await _insert_session(admin, person)
    await admin.execute(
        sa.insert(SessionToken).values(
            session_id=session_id,
            audience="urn:x",
            organization_id="acme",
            scopes="",
            role_names="[]",
            fetched_at=sa.func.now(),
            expires_at=sa.func.now(),
        )
    )
    ended = sa.update(SessionRow).where(SessionRow.id == session_id)
    await admin.execute(ended.values(expires_at=sa.text("now() - interval '1 hour'")))
    return session_id


async def test_an_expired_session_shows_nobody_its_tokens(
    raw: asyncpg.Connection, expired_session: uuid.UUID
) -> None:
    await enter(raw, "elsewhere", keys.of_person("somebody"))

    found = "SELECT count(*) FROM {} WHERE {} = $1"
    assert await raw.fetchval(found.format("sessions", "id"), expired_session) == 1
    assert await raw.fetchval(found.format("session_tokens", "session_id"), expired_session) == 0


async def test_an_expired_session_shows_nobody_its_person(
    raw: asyncpg.Connection, expired_session: uuid.UUID, person: str
) -> None:
    assert not await sees(raw, person, key=keys.of_person("somebody"))


async def test_an_organization_cannot_be_entered_from_another(
    raw: asyncpg.Connection, two_tenants: tuple[str, str]
) -> None:
    await enter(raw, two_tenants[0])

    with pytest.raises(asyncpg.PostgresError, match="another organization"):
        await raw.execute(f"CALL workroom_enter('{two_tenants[1]}', '')")


async def test_a_transaction_whose_organization_was_changed_is_not_committed(
    engine: AsyncEngine, admin: AsyncConnection
) -> None:
    own, other = f"a{uuid.uuid4().hex[:11]}", f"b{uuid.uuid4().hex[:11]}"

    async def write_and_move() -> None:
        async with UnitOfWork(engine).writing(own) as db:
            db.add(MembershipChange(organization_id=own, subject="ada", changed_at=sa.func.now()))
            await db.flush()
            await _on_driver(db, f"SET LOCAL workroom.organization_id = '{other}'")

    with pytest.raises(OutsideTenant, match="another organization"):
        await write_and_move()

    written = sa.select(sa.func.count()).where(MembershipChange.organization_id == own)
    assert await admin.scalar(written) == 0


@pytest.mark.parametrize(
    "sneaking",
    [
        sa.func.set_config("workroom.organization_id", "other", True),
        sa.func.SET_CONFIG("workroom.organization_id", "other", True),
        sa.literal_column("Set_Config('workroom.organization_id', 'other', true)"),
    ],
    ids=["as a function", "in capitals", "as SQL"],
)
async def test_a_statement_that_changes_the_organization_is_refused(
    engine: AsyncEngine, sneaking: sa.ColumnElement[str]
) -> None:
    async with UnitOfWork(engine).reading("acme") as db:
        with pytest.raises(OutsideTenant, match="cannot be changed"):
            await db.execute(sa.select(sneaking))


async def test_an_organization_left_over_on_a_connection_fails_one_request_and_is_gone(
    engine: AsyncEngine,
) -> None:
    await _on_pooled(engine, "SET workroom.organization_id = 'other'")
    work = UnitOfWork(engine)
    names = sa.select(Project.name)

    with pytest.raises(OutsideTenant, match="another organization"):
        async with work.reading("acme") as db:
            await db.execute(names)

    async with work.reading("acme") as db:
        assert (await db.execute(names)).all() == []


@pytest.mark.parametrize("kind", ["reading", "writing"])
async def test_after_such_a_failure_the_session_goes_on_inside_its_organization(
    engine: AsyncEngine, kind: str
) -> None:
    await _on_pooled(engine, "SET workroom.organization_id = 'other'")
    entered = sa.select(sa.func.current_setting("workroom.organization_id", True))

    async with getattr(UnitOfWork(engine), kind)("acme") as db:
        with pytest.raises(OutsideTenant, match="another organization"):
            await db.execute(entered)
        assert await db.scalar(entered) == "acme"


async def test_a_transaction_left_open_on_a_connection_is_rolled_back(engine: AsyncEngine) -> None:
    await _on_pooled(engine, "BEGIN; CALL workroom_enter('other', '')")

    async with UnitOfWork(engine).reading("acme") as db:
        assert await db.scalar(sa.select(sa.func.current_setting("workroom.organization_id"))) == "acme"


async def test_an_organization_whose_id_looks_like_sql_is_a_text(engine: AsyncEngine) -> None:
    odd = "a'b\\'; SET LOCAL workroom.key = 'x"

    async with UnitOfWork(engine).reading(odd) as db:
        assert await db.scalar(sa.select(sa.func.current_setting("workroom.organization_id"))) == odd


async def test_a_reading_session_cannot_write_even_through_a_function(engine: AsyncEngine) -> None:
    async with UnitOfWork(engine).reading("acme") as db:
        assert await db.scalar(sa.select(sa.func.current_setting("transaction_read_only"))) == "on"


async def test_every_table_has_the_policies_that_it_declares(admin: AsyncConnection) -> None:
    rows = await admin.execute(
        sa.text(
            "SELECT relname, relrowsecurity, array_agg(polname::text) FROM pg_class "
            "LEFT JOIN pg_policy ON polrelid = pg_class.oid "
            "WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace GROUP BY 1, 2"
        )
    )
    found = {name: (is_protected, set(policies) - {None}) for name, is_protected, policies in rows}
    expected = {
        table.name: (
            visible_rows(table) is not None,
            ({"visible_rows"} if visible_rows(table) else set())
            | ({"jobs_see_all"} if visible_rows(table) and not is_tenant_owned(table) else set()),
        )
        for table in TABLES
    }
    assert found == {**expected, "alembic_version": (False, set())}


async def _insert_session(admin: AsyncConnection, subject: str) -> uuid.UUID:
    session_id = new_uuid()
    values = {column.key: None for column in sa.inspect(SessionRow).columns if column.nullable}
    now, later = sa.func.now(), sa.text("now() + interval '1 hour'")
    await admin.execute(
        sa.insert(SessionRow).values(
            **{
                **values,
                "id": session_id,
                "cookie_hash": session_id.bytes,
                "subject": subject,
                "logto_session_id": f"sid-{session_id}",
                "id_token": b"",
                "user_agent": "",
                "address": "",
                "created_at": now,
                "last_seen_at": now,
                "granted_at": now,
                "expires_at": later,
            }
        )
    )
    return session_id


async def _on_driver(db: object, statement: str) -> None:
    """Run a statement on the connection of a session, past everything that checks it."""
    pooled = db._connection.connection  # type: ignore[attr-defined]
    await pooled.driver_connection.execute(statement)


async def _on_pooled(engine: AsyncEngine, statement: str) -> None:
    """Run a statement on the engine's connection, and return it to the pool as it is then."""
    async with engine.connect() as connection:
        pooled = await connection.get_raw_connection()
        await pooled.driver_connection.execute(statement)  # type: ignore[union-attr]


def _owner(table: sa.Table) -> str:
    return "id" if table.name == "organizations" else "organization_id"


def _is_foreign(table: sa.Table) -> str:
    """Return the condition that leaves out what everybody may see: expired rows, and changes everywhere."""
    if "expires_at" in table.columns:
        return "expires_at > now()"
    return "organization_id <> '*'" if table.name == "membership_changes" else "true"
