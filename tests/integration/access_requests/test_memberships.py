"""Requests end with the membership of their author, however it ends."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa

from saas_app.db.base import utc_now
from saas_app.models import AccessRequest
from saas_app.rbac.permissions import Role
from saas_app.runtime import Runtime
from saas_app.webhooks.changes.deliveries import receive
from tests.conftest import OpenBrowser
from tests.factories import Factory
from tests.integration.access_requests.conftest import APPROVE, Acme, add_request, states_of
from tests.integration.notifications.reading import notifications_of
from tests.integration.notifications.test_notifying import removal_webhook
from tests.integration.reconciling import reconciler_of, repairs_of

End = Callable[[Acme, Factory, Runtime], Awaitable[object]]


async def remove(acme: Acme, _make: Factory, _runtime: Runtime) -> None:
    await acme.ada.post(f"{acme.root}/members/{acme.viewer.id}/remove")


async def leave(acme: Acme, _make: Factory, _runtime: Runtime) -> None:
    await acme.vera.post(f"{acme.root}/leave", {"confirm": "yes"})


async def report(acme: Acme, make: Factory, runtime: Runtime) -> None:
    await make.management.remove_member(acme.id, acme.viewer.id)
    await receive(runtime.work, removal_webhook(acme.id, acme.viewer.id))


async def reconcile(acme: Acme, make: Factory, runtime: Runtime) -> None:
    await make.management.remove_member(acme.id, acme.viewer.id)
    await repairs_of(reconciler_of(runtime.jobs, make), acme.id)


@pytest.mark.parametrize("end", [remove, leave, report, reconcile])
async def test_pending_requests_are_withdrawn_and_no_longer_wait(
    acme: Acme, make: Factory, runtime: Runtime, end: End
) -> None:
    await acme.ask()
    async with runtime.work.writing(acme.id) as db:  # clocks may differ by seconds
        await db.execute(sa.update(AccessRequest).values(created_at=utc_now() - timedelta(minutes=5)))

    await end(acme, make, runtime)

    assert await states_of(runtime, acme.id) == ["withdrawn"]
    assert all(row.read_at for row in await notifications_of(runtime, acme.admin.id))


async def test_reconciling_withdraws_requests_of_former_members_who_never_signed_in(
    acme: Acme, make: Factory, runtime: Runtime
) -> None:
    wanda = await make.member(acme.id, "Wanda", Role.VIEWER)
    await add_request(runtime, acme, Role.EDITOR, by=wanda)
    await make.management.remove_member(acme.id, wanda.id)

    await repairs_of(reconciler_of(runtime.jobs, make), acme.id)

    assert await states_of(runtime, acme.id) == ["withdrawn"]


async def test_somebody_who_comes_back_gets_nothing_by_an_old_request(
    acme: Acme, make: Factory, runtime: Runtime
) -> None:
    path = await acme.ask()
    await remove(acme, make, runtime)
    await make.join(acme.id, acme.viewer, Role.VIEWER)

    await acme.ada.post(f"{path}/approve", APPROVE, 409)

    assert await acme.roles_at_logto(acme.viewer) == {"viewer"}


async def test_a_former_member_cannot_see_the_request(
    acme: Acme, make: Factory, runtime: Runtime, open_browser: OpenBrowser
) -> None:
    path = await acme.ask()
    await remove(acme, make, runtime)

    await acme.vera.get(path, 404)
    await (await open_browser(acme.viewer)).get(path, 404)
