"""Approvals that Logto rejects, does not answer, or answers too late to be recorded."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from saas_app.db.base import utc_now
from saas_app.models import PendingChange
from saas_app.operations.reconciliation.service import LEFT_OVER_AFTER
from saas_app.rbac.permissions import Role
from saas_app.runtime import Runtime
from tests.factories import Factory
from tests.integration.access_requests.conftest import APPROVE, Acme, requests_of, states_of
from tests.integration.ending import ends_of
from tests.integration.faulty_logto import DOWN, LOST, Fault, Faulty
from tests.integration.notifications.reading import told
from tests.integration.reconciling import reconciler_of, repairs_of
from tests.integration.records import actions_of, pending_in

ROLES = "/roles$"


@pytest.fixture
async def path(faulty: Faulty, make: Factory) -> str:
    """The path of a request of Vera, a viewer, at a worker that reaches Logto through a gate."""
    vera = await make.member(faulty.acme.id, "Vera", Role.VIEWER)
    faulty.acme.people["viewer"] = vera
    faulty.acme.browsers["viewer"] = await faulty.open_browser(vera)
    return await acme_of(faulty).ask()


def acme_of(faulty: Faulty) -> Acme:
    return Acme(**vars(faulty.acme))


async def age_notes(runtime: Runtime, acme: Acme) -> None:
    """Let the notes of the organization have begun long enough ago to be left over."""
    async with runtime.work.writing(acme.id) as db:
        await db.execute(
            sa.update(PendingChange).values(started_at=utc_now() - LEFT_OVER_AFTER - timedelta(seconds=1))
        )


async def test_a_role_that_logto_refuses_leaves_the_request_pending(
    faulty: Faulty, path: str, runtime: Runtime
) -> None:
    acme = acme_of(faulty)
    faulty.gate.fail(Fault("PUT", ROLES, 422))

    await acme.ada.post(f"{path}/approve", APPROVE, 409)

    assert await states_of(runtime, acme.id) == ["pending"]
    assert await ends_of(runtime, acme.id, acme.viewer) == {}
    assert await pending_in(runtime, acme.id) == []
    assert await actions_of(runtime, acme.id) == ["access.request"]


@pytest.mark.parametrize("method", ["GET", "PUT"])
async def test_without_logto_nothing_is_approved(
    faulty: Faulty, path: str, runtime: Runtime, method: str
) -> None:
    acme = acme_of(faulty)
    faulty.gate.fail(Fault(method, ROLES, **DOWN))

    await acme.ada.post(f"{path}/approve", APPROVE, 503)

    assert await states_of(runtime, acme.id) == ["pending"]
    assert await acme.roles_at_logto(acme.viewer) == {"viewer"}


@pytest.fixture
async def lost(faulty: Faulty, path: str, runtime: Runtime) -> Acme:
    """Acme after an approval that Logto carried out, and whose response was lost."""
    acme = acme_of(faulty)
    faulty.gate.fail(Fault("PUT", ROLES, **LOST))
    await acme.ada.post(f"{path}/approve", APPROVE, 503)
    faulty.gate.fail()
    await age_notes(runtime, acme)
    return acme


async def test_reconciling_completes_an_approval_whose_end_was_not_recorded(
    lost: Acme, make: Factory, runtime: Runtime
) -> None:
    await repairs_of(reconciler_of(runtime.jobs, make), lost.id)

    (row,) = await requests_of(runtime, lost.id)
    assert (row.state.value, row.decided_by) == ("approved", lost.admin.id)
    assert row.ends_at == (await ends_of(runtime, lost.id, lost.viewer))[Role.EDITOR]
    assert (await actions_of(runtime, lost.id)).count("access.approve") == 1
    assert await told(runtime, lost.viewer.id) == [
        f"Your request was approved. You now have the editor role in {lost.name}."
    ]


async def test_reconciling_twice_records_an_approval_once(
    lost: Acme, make: Factory, runtime: Runtime
) -> None:
    for _run in range(2):
        await repairs_of(reconciler_of(runtime.jobs, make), lost.id)

    assert (await actions_of(runtime, lost.id)).count("access.approve") == 1


async def test_reconciling_keeps_a_later_end_that_was_approved_meanwhile(
    lost: Acme, path: str, make: Factory, runtime: Runtime
) -> None:
    seen = (await ends_of(runtime, lost.id, lost.viewer))[Role.EDITOR]
    await lost.ada.post(f"{path}/approve", {"seen": seen.isoformat(), "duration": "week"})
    later = await ends_of(runtime, lost.id, lost.viewer)

    await repairs_of(reconciler_of(runtime.jobs, make), lost.id)

    (row,) = await requests_of(runtime, lost.id)
    assert {Role.EDITOR: row.ends_at} == await ends_of(runtime, lost.id, lost.viewer) == later
    assert (await actions_of(runtime, lost.id)).count("access.approve") == 1


async def test_an_approval_that_logto_did_not_carry_out_stays_open(
    lost: Acme, make: Factory, runtime: Runtime
) -> None:
    await make.give_roles(lost.id, lost.viewer, Role.VIEWER)

    await repairs_of(reconciler_of(runtime.jobs, make), lost.id)

    assert await states_of(runtime, lost.id) == ["pending"]
    assert "access.approve" not in await actions_of(runtime, lost.id)


async def test_a_lost_approval_is_not_given_again_unseen(lost: Acme, path: str, runtime: Runtime) -> None:
    before = await ends_of(runtime, lost.id, lost.viewer)

    page = await lost.ada.submit(f"{path}/approve", APPROVE, 409)

    assert "was given the editor role for a time meanwhile" in page
    assert await ends_of(runtime, lost.id, lost.viewer) == before
