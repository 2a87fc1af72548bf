"""The tenant scope: every way to use a tenant-owned table, inside and outside a tenant."""

import gc
import shutil
import subprocess
import sys
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import aliased

from saas_app.db.base import Base, TenantOwned, new_uuid, utc_now
from saas_app.db.engine import create_engine
from saas_app.db.session import DatabaseSession
from saas_app.db.tenant_scope import OutsideTenant
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.models import Project, ProjectStatus, Task, TaskStatus, User


@pytest.fixture(scope="module")
async def filled_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with one project in each of two organizations."""
    path = tmp_path_factory.mktemp("scope") / "scope.db"
    engine = create_engine(f"sqlite+aiosqlite:///{path}")
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    work = UnitOfWork(engine)
    for organization_id in ("acme", "globex"):
        async with work.writing(organization_id) as db:
            db.add(project(f"of {organization_id}"))
    await engine.dispose()
    return path


@pytest.fixture
async def work(filled_database: Path, tmp_path: Path) -> AsyncIterator[UnitOfWork]:
    """Units of work on a copy of the database."""
    engine = create_engine(f"sqlite+aiosqlite:///{shutil.copy(filled_database, tmp_path)}")
    yield UnitOfWork(engine)
    await engine.dispose()


def project(name: str, **values: Any) -> Project:
    return Project(**project_values(name, **values))


def project_values(name: str, **values: Any) -> dict[str, Any]:
    now = utc_now()
    return {
        "id": new_uuid(),
        "name": name,
        "folded_name": name.casefold(),
        "description": "",
        "status": ProjectStatus.ACTIVE,
        "created_by": "u1",
        "created_at": now,
        "updated_at": now,
        "version": 1,
        **values,
    }


NAMED = aliased(Project)
NAMED_TABLE = Project.__table__.alias()


@pytest.mark.parametrize(
    "statement",
    [
        sa.select(Project.name),
        sa.select(NAMED.name),
        sa.select(sa.func.max(Project.name)),
        sa.select(sa.select(Project.name).limit(1).scalar_subquery()),
    ],
)
async def test_a_select_sees_only_the_tenants_rows(work: UnitOfWork, statement: sa.Select[Any]) -> None:
    async with work.reading("acme") as db:
        assert list(await db.scalars(statement)) == ["of acme"]


async def test_a_statement_that_is_kept_sees_the_rows_of_each_organization_it_runs_for(
    work: UnitOfWork,
) -> None:
    kept = sa.select(Project.name)

    async with work.reading("acme") as db:
        of_acme = await db.scalar(kept)
    async with work.reading("globex") as db:
        of_globex = await db.scalar(kept)

    assert (of_acme, of_globex) == ("of acme", "of globex")


async def test_a_kept_statement_stays_outside_after_it_ran_inside_a_tenant(work: UnitOfWork) -> None:
    kept = sa.select(Project.name)
    async with work.reading("acme") as db:
        await db.scalar(kept)

    with pytest.raises(OutsideTenant):
        async with work.reading() as db:
            await db.scalar(kept)


async def test_the_tenants_parameter_cannot_be_replaced(work: UnitOfWork) -> None:
    async with work.reading("acme") as db:
        names = await db.scalars(sa.select(Project.name), {"scope_organization_id": "globex"})

    assert list(names) == ["of acme"]


async def test_statements_that_are_not_kept_are_forgotten(work: UnitOfWork) -> None:
    async def run_new_ones() -> list[weakref.ref[Any]]:
        outside = [sa.select(User.id), sa.select(User.__table__.c.id), sa.func.now()]
        read, insert = sa.select(Project.name), sa.insert(Project)
        for _ in range(3):
            async with work.writing() as db:
                for statement in outside:
                    await db.execute(statement)
            async with work.writing("acme") as db:
                await db.execute(read)
                await db.execute(insert, [project_values("one more")])
        return [weakref.ref(statement) for statement in (*outside, read, insert)]

    await run_new_ones()  # SQLAlchemy's own cache, which is limited, keeps the first of their kind
    forgotten = await run_new_ones()
    gc.collect()

    assert [reference() for reference in forgotten] == [None] * 5


@pytest.mark.parametrize("change", [sa.update(Project).values(name="x"), sa.delete(Project)])
async def test_a_reading_session_changes_nothing(work: UnitOfWork, change: Any) -> None:
    with pytest.raises(TypeError, match="changes nothing"):
        async with work.reading("acme") as db:
            await db.execute(change)


async def test_a_reading_session_loads_no_objects(work: UnitOfWork) -> None:
    with pytest.raises(TypeError, match="columns, not objects"):
        async with work.reading("acme") as db:
            await db.scalar(sa.select(Project))


async def test_updates_and_deletes_change_only_the_tenants_rows(work: UnitOfWork) -> None:
    async with work.writing("acme") as db:
        await db.execute(sa.update(Project).values(name="renamed"))
        await db.execute(sa.delete(Project).where(Project.name == "of globex"))
    async with work.reading("globex") as db:
        assert list(await db.scalars(sa.select(Project.name))) == ["of globex"]
    async with work.reading("acme") as db:
        assert list(await db.scalars(sa.select(Project.name))) == ["renamed"]


async def test_a_row_of_another_organization_is_not_found_by_its_key(work: UnitOfWork) -> None:
    async with work.reading("globex") as db:
        theirs = await db.scalar(sa.select(Project.id))
    async with work.reading("acme") as db:
        assert await db.scalar(sa.select(Project.name).where(Project.id == theirs)) is None


async def test_a_new_row_gets_the_tenants_organization(work: UnitOfWork) -> None:
    async with work.writing("acme") as db:
        await db.execute(sa.insert(Project), [project_values("by statement")])
    async with work.reading("acme") as db:
        assert await db.scalar(sa.select(sa.func.count()).select_from(Project)) == 2


async def _add(db: DatabaseSession, values: dict[str, Any]) -> None:
    db.add(Project(**values))


async def _insert_many(db: DatabaseSession, values: dict[str, Any]) -> None:
    await db.execute(sa.insert(Project), [values])


async def _insert_values(db: DatabaseSession, values: dict[str, Any]) -> None:
    await db.execute(sa.insert(Project).values(**values))


async def _insert_with_other_rows(db: DatabaseSession, values: dict[str, Any]) -> None:
    await db.execute(sa.insert(Project).values([values]), [project_values("a pretext")])


async def _insert_an_expression(db: DatabaseSession, values: dict[str, Any]) -> None:
    elsewhere = sa.func.lower(values.pop("organization_id"))
    await db.execute(sa.insert(Project).values(organization_id=elsewhere), [values])


async def _move(db: DatabaseSession, values: dict[str, Any]) -> None:
    own = (await db.scalars(sa.select(Project))).one()
    own.organization_id = values["organization_id"]


@pytest.mark.parametrize(
    "write", [_add, _insert_many, _insert_values, _insert_with_other_rows, _insert_an_expression, _move]
)
async def test_a_new_row_of_another_organization_raises(
    work: UnitOfWork, write: Callable[[DatabaseSession, dict[str, Any]], Awaitable[None]]
) -> None:
    with pytest.raises(OutsideTenant):
        async with work.writing("acme") as db:
            await write(db, project_values("smuggled", organization_id="globex"))


OUTSIDE: list[Callable[[], Any]] = [
    lambda: sa.select(Project),
    lambda: sa.select(Project.__table__.c.name),
    lambda: sa.select(User.id, sa.exists(sa.select(Task.id))),
    lambda: sa.select(User).join(Task, Task.created_by == User.id),
    lambda: sa.update(Task).values(title="x"),
    lambda: sa.delete(Project),
    lambda: sa.insert(Project).values(name="x"),
    lambda: sa.union(sa.select(User.id), sa.select(Project.name)),
    lambda: sa.text("SELECT 1"),
]


@pytest.mark.parametrize("make", OUTSIDE)
async def test_outside_a_tenant_every_statement_on_its_tables_raises(
    work: UnitOfWork, make: Callable[[], Any]
) -> None:
    async with work.writing() as db:
        with pytest.raises(OutsideTenant):
            await db.execute(make())


async def test_outside_a_tenant_a_flush_raises(work: UnitOfWork) -> None:
    with pytest.raises(OutsideTenant):
        async with work.writing() as db:
            db.add(project("nobody's", organization_id="acme"))


@pytest.mark.parametrize(
    "statement",
    [
        sa.text("DELETE FROM projects"),
        sa.select(Task.__table__.c.title),
        sa.func.max(Project.name),
        sa.select(Project.name).from_statement(sa.select(Project.__table__.c.name)),
        sa.select(Project.name, NAMED_TABLE.c.name),
        sa.select(Project).with_only_columns(Project.__table__.c.name),
        sa.select(Project.name).where(sa.exists(sa.select(Task.__table__.c.id))),
        sa.update(Project).values(name=NAMED_TABLE.c.name),
    ],
)
async def test_inside_a_tenant_a_statement_that_cannot_be_scoped_raises(
    work: UnitOfWork, statement: Any
) -> None:
    async with work.writing("acme") as db:
        with pytest.raises(OutsideTenant):
            await db.execute(statement)


async def test_a_task_cannot_belong_to_a_project_of_another_organization(work: UnitOfWork) -> None:
    async with work.reading("globex") as db:
        theirs = await db.scalar(sa.select(Project.id))
    now = utc_now()
    with pytest.raises(sa.exc.IntegrityError):
        async with work.writing("acme") as db:
            db.add(
                Task(
                    project_id=theirs,
                    title="across",
                    status=TaskStatus.TODO,
                    due_on=date(2030, 1, 1),
                    created_by="u1",
                    created_at=now,
                    updated_at=now,
                )
            )


async def test_a_unit_of_work_that_raises_is_rolled_back(work: UnitOfWork) -> None:
    async def halfway() -> None:
        async with work.writing("acme") as db:
            db.add(project("half done"))
            await db.flush()
            raise RuntimeError("halfway")

    with pytest.raises(RuntimeError, match="halfway"):
        await halfway()
    async with work.reading("acme") as db:
        assert list(await db.scalars(sa.select(Project.name))) == ["of acme"]


def test_every_tenant_owned_table_is_marked_and_its_keys_begin_with_the_organization() -> None:
    owned = [mapper for mapper in Base.registry.mappers if issubclass(mapper.class_, TenantOwned)]
    assert owned
    for mapper in owned:
        table = mapper.local_table
        assert table.info["tenant_owned"]
        assert [column.name for column in table.primary_key.columns][:1] == ["organization_id"]
        for index in table.indexes:
            assert next(iter(index.columns)).name == "organization_id", index.name
        for constraint in table.foreign_key_constraints:
            assert constraint.column_keys[0] == "organization_id"


def test_tables_are_marked_in_any_import_order() -> None:
    program = (
        "import saas_app.models as m; from saas_app.db.base import is_tenant_owned; "
        "assert is_tenant_owned(m.Project.__table__) and not is_tenant_owned(m.User.__table__)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
