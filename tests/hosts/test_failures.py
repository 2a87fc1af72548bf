"""Two hosts behind a proxy, while a machine, the network or a server fails."""

from __future__ import annotations

import asyncio
import time

import asyncpg
import pytest

from tests.hosts.acme import Acme
from tests.hosts.cluster import Cluster
from tests.hosts.conftest import NewVisitor, Note
from tests.hosts.load import CREATE, requests_going_on
from tests.remote import eventually

pytestmark = pytest.mark.one_database

_CUT: float = 10  # seconds; long enough that half of the time limits in the product pass


async def test_a_host_that_dies_fails_only_changes_that_were_sent_to_it(
    cluster: Cluster, acme: Acme, note: Note
) -> None:
    """The proxy repeats what it may. It must not repeat a change once it was sent, even to a dead host."""
    async with requests_going_on(acme.browsers, acme.root) as load:
        with load.event("to fail over"):
            await asyncio.to_thread(cluster.one.fail)
            await load.successes(20, served_by=cluster.two.address)
        moved = time.monotonic()
        with load.event("to return"):
            await asyncio.to_thread(cluster.one.start)
            await load.successes(20, served_by=cluster.one.address)

    note(load)
    assert all(sent.began < moved and sent.kind == CREATE and sent.is_delayed for sent in load.failed)
    await acme.require_nothing_half_done(load)


async def test_a_host_without_its_database_is_left_out_and_comes_back_by_itself(
    cluster: Cluster, acme: Acme, note: Note
) -> None:
    async with requests_going_on(acme.browsers, acme.root) as load:
        with load.event("cut"), cluster.one.machine.cut_off(cluster.database.machine):
            began = time.monotonic()
            await load.successes(100, served_by=cluster.two.address)
            await asyncio.sleep(began + _CUT - time.monotonic())
        with load.event("to return"):
            await load.successes(20, served_by=cluster.one.address)

    note(load)
    assert all(sent.is_delayed for sent in load.failed)
    await acme.require_nothing_half_done(load)


async def test_a_host_without_logto_serves_those_who_are_signed_in(
    cluster: Cluster, acme: Acme, note: Note, new_visitor: NewVisitor
) -> None:
    admin, newcomer = await new_visitor(acme.admin, at="one"), await new_visitor()
    await admin.get(f"{acme.root}/members", at="one")
    async with requests_going_on(acme.browsers, acme.root) as load:
        with load.event("cut"), cluster.one.machine.cut_off(cluster.provider_machine):
            refused = await newcomer.sign_in(acme.editor, at="one")
            elsewhere = await newcomer.sign_in(acme.editor, at="two")
            demotion = await acme.demote_editor(admin, at="one")

    note(load)
    assert load.failed == []
    assert (refused.status, bool(refused.retry_after)) == (503, True)
    assert elsewhere.status == 303
    assert (demotion.status, bool(demotion.retry_after)) == (503, True)
    assert await acme.editor_roles() == {"editor"}
    assert (await newcomer.sign_in(acme.editor, at="one")).status == 303


async def test_a_restart_of_the_database_delays_requests_and_breaks_none(
    cluster: Cluster, acme: Acme, note: Note
) -> None:
    async with requests_going_on(acme.browsers, acme.root) as load:
        with load.event("restart"):
            await asyncio.to_thread(cluster.database.restart)
        with load.event("to return"):
            await load.successes(20, served_by=cluster.one.address)
            await load.successes(20, served_by=cluster.two.address)

    note(load)
    assert all(sent.is_delayed for sent in load.failed)
    await acme.require_nothing_half_done(load)


async def test_no_request_fails_while_redis_is_away(cluster: Cluster, acme: Acme, note: Note) -> None:
    async with requests_going_on(acme.browsers, acme.root) as load:
        with load.event("away"):
            await asyncio.to_thread(cluster.redis.stop)
            await load.successes(60)
            await asyncio.to_thread(cluster.redis.start)
        await load.successes(30)

    note(load)
    assert load.failed == []


async def test_reconcile_completes_the_change_of_a_host_that_died_after_logto_had_made_it(
    cluster: Cluster, acme: Acme, new_visitor: NewVisitor
) -> None:
    """Logto has taken the role. The host dies while it waits to record that, behind a lock of this test."""
    admin, editor = await new_visitor(acme.admin, at="one"), acme.browsers[0]
    await editor.get(acme.form, at="two")
    lock = await asyncpg.connect(cluster.maintenance_dsn)
    async with lock.transaction():
        await lock.execute("LOCK TABLE audit_events IN SHARE ROW EXCLUSIVE MODE")
        demotion = asyncio.create_task(acme.demote_editor(admin, at="one"))
        await eventually(lambda: _is_demoted(acme), "Logto takes the role")
        await asyncio.to_thread(cluster.one.fail)
    await lock.close()
    assert (await demotion).status == 503
    await editor.get(acme.form, 403, at="two")

    await acme.rows(
        "UPDATE pending_changes SET started_at = started_at - interval '1 hour' WHERE organization_id = $1"
    )

    printed = await asyncio.to_thread(cluster.command, "reconcile", "--organization", acme.id)

    assert acme.id in printed
    assert await acme.rows("SELECT id FROM pending_changes WHERE organization_id = $1") == []
    assert await acme.rows(
        "SELECT count(*) FROM audit_events WHERE organization_id = $1 AND action = 'member.change-roles'"
    ) == [1]
    await editor.get(acme.form, 403, at="two")


async def _is_demoted(acme: Acme) -> bool:
    return await acme.editor_roles() == {"viewer"}
