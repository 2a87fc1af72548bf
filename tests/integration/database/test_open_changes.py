"""Which memberships the notes of open changes touch, as the database evaluates them."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable

import pytest
import sqlalchemy as sa

from saas_app.db.base import new_uuid, utc_now
from saas_app.models import PendingChange
from saas_app.runtime import Runtime

IsTouched = Callable[[str], Awaitable[bool]]


@pytest.fixture
def organization_id() -> str:
    return secrets.token_hex(6)


@pytest.fixture
async def note(runtime: Runtime, organization_id: str, user_ids: str) -> None:
    """Return a note that names these subjects."""
    change = PendingChange(id=new_uuid(), entry={}, subjects=[], started_at=utc_now())
    async with runtime.work.writing(organization_id) as db:
        db.add(change)
    async with runtime.jobs.writing(organization_id) as db:
        is_sqlite = db.dialect_name == "sqlite"
        if not is_sqlite and user_ids == "{":
            pytest.skip("PostgreSQL cannot store invalid JSON here")
        text = (
            sa.type_coerce(user_ids, sa.Text)
            if is_sqlite
            else sa.cast(sa.literal_column(f"'{user_ids}'"), sa.JSON)
        )
        table = sa.Table(
            PendingChange.__tablename__, sa.MetaData(), sa.Column("id", sa.Uuid), sa.Column("user_ids")
        )
        await db.execute(sa.update(table).where(table.c.id == change.id).values(user_ids=text))


@pytest.fixture
def is_touched(runtime: Runtime, organization_id: str) -> IsTouched:
    """``await is_touched(user_id)``: whether a membership of the organization is being changed."""

    async def ask(user_id: str) -> bool:
        touches = PendingChange.touches(sa.literal(organization_id), sa.literal(user_id))
        async with runtime.work.reading(organization_id) as db:
            return bool(await db.scalar(sa.select(touches)))

    return ask


@pytest.mark.parametrize(
    ("user_ids", "touched"),
    [
        ("[]", False),
        ('["bob", "eve"]', True),
        ('["*"]', True),
        ('["evelyn", "e_e", "%"]', False),
        ("null", True),
        ("7", True),
        ('{"eve": 1}', True),
        ("{", True),
    ],
)
async def test_a_note_touches_those_it_names_and_everyone_if_it_is_unreadable(
    note: None, is_touched: IsTouched, touched: bool
) -> None:
    assert await is_touched("eve") is touched


@pytest.mark.parametrize("user_ids", ['["eve"]'])
async def test_a_note_touches_no_member_of_another_organization(note: None, runtime: Runtime) -> None:
    touches = PendingChange.touches(sa.literal("another"), sa.literal("eve"))
    async with runtime.work.reading("another") as db:
        assert await db.scalar(sa.select(touches)) is False
