"""Records that have expired are deleted in every organization, also where nothing happens any more."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from saas_app.db.base import utc_now
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.identity.vault import fingerprint
from saas_app.models import Ending, FormerMembership, IdempotencyKey, SignInAttemptRow
from saas_app.operations.reconciliation.service import Reconciler
from saas_app.organizations.removal import RemovalWorker, remove_pending
from saas_app.runtime import Runtime
from saas_app.single_sign_on.broker.errands import Assertion, Errands
from tests.conftest import OpenOffice
from tests.integration.reconciling import repairs_of
from tests.remote import eventually
from tests.removals import order_removal

KeysOf = Callable[[str], Awaitable[list[str]]]


@pytest.fixture
async def ended(work: UnitOfWork) -> dict[str, str]:
    """Ended memberships of three organizations, by how long ago: the organization's id."""
    made = {}
    for days in (30, 91, 400):
        organization_id = made[f"{days} days"] = f"org{secrets.token_hex(6)}"
        async with work.writing(organization_id) as db:
            db.add(
                FormerMembership(
                    organization_id=organization_id,
                    user_id="gone",
                    organization_name="Acme",
                    ending=Ending.LEFT,
                    ended_at=utc_now() - timedelta(days=days),
                )
            )
    return made


@pytest.fixture
def keys_of(work: UnitOfWork) -> KeysOf:
    async def read(organization_id: str) -> list[str]:
        async with work.reading(organization_id) as db:
            return list(await db.scalars(sa.select(IdempotencyKey.key)))

    return read


async def add_key(work: UnitOfWork, organization_id: str, key: str, claimed_at: datetime) -> None:
    async with work.writing(organization_id) as db:
        db.add(IdempotencyKey(subject="m-1", key=key, request_hash=b"", claimed_at=claimed_at))


async def test_the_worker_deletes_ended_memberships_of_all_organizations_after_90_days(
    work: UnitOfWork, ended: dict[str, str]
) -> None:
    async def list_kept() -> set[str]:
        kept = sa.select(FormerMembership.organization_id)
        async with work.reading() as db:
            return set(await db.scalars(kept.where(FormerMembership.organization_id.in_(ended.values()))))

    async def only_the_new_one_is_kept() -> bool:
        return await list_kept() == {ended["30 days"]}

    async with RemovalWorker(work, None).running():
        await eventually(only_the_new_one_is_kept, "expired ended memberships are deleted")


async def test_reconciling_deletes_responses_that_an_idle_organization_kept_for_more_than_a_day(
    open_office: OpenOffice, work: UnitOfWork, reconciler: Reconciler, keys_of: KeysOf
) -> None:
    office = await open_office()
    for key, age in (("old", timedelta(hours=25)), ("new", timedelta(hours=23))):
        await add_key(work, office.id, key, utc_now() - age)

    await repairs_of(reconciler, office.id)

    assert await keys_of(office.id) == ["new"]


@pytest.mark.usefixtures("no_pending_removals")
async def test_responses_of_a_deleted_organization_are_removed(work: UnitOfWork, keys_of: KeysOf) -> None:
    gone = f"gone{secrets.token_hex(6)}"
    await add_key(work, gone, "new", utc_now())
    await order_removal(work, gone, "Gone Ltd", "somebody")

    await remove_pending(work, None)

    assert await keys_of(gone) == []


async def test_what_logto_never_fetched_is_deleted_when_the_next_person_comes(
    runtime: Runtime, work: UnitOfWork
) -> None:
    errands = Errands(runtime.work, runtime.vault)
    row = SignInAttemptRow.state_hash == fingerprint(await errands.promise(Assertion("c-1", {"sub": "s-1"})))
    async with work.writing() as db:
        past = utc_now() - timedelta(seconds=1)
        await db.execute(sa.update(SignInAttemptRow).where(row).values(expires_at=past))

    await errands.promise(Assertion("c-2", {"sub": "s-2"}))

    async with work.reading() as db:
        assert await db.scalar(sa.select(sa.func.count()).where(row)) == 0
