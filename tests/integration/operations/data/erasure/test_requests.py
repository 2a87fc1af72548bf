"""What an erased person wrote in access requests is empty everywhere, and their requests stay."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from saas_app.access_requests.values import RequestState
from saas_app.db.base import new_uuid, utc_now
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.models import AccessRequest
from saas_app.notifications.recorder import notify_of_decline
from saas_app.operations.data.erasure import erase_person
from saas_app.rbac.permissions import Role
from saas_app.runtime import Runtime
from tests.conftest import OpenBrowser
from tests.integration.access_requests.conftest import requests_of
from tests.integration.operations.data.erasure.zoe import Zoe, find_texts


@dataclass(frozen=True, slots=True)
class Written:
    """A request of Zoë with her reason, and one of somebody else whom she answered."""

    own: str
    answered: str
    reason: str
    answer: str

    @property
    def texts(self) -> list[str]:
        """What she wrote."""
        return [self.reason, self.answer]


@pytest.fixture
async def written(zoe: Zoe, operator: UnitOfWork, open_browser: OpenBrowser) -> Written:
    """Zoë asked for a role, and declined a request of somebody else, who was notified."""
    other, now = new_uuid(), utc_now()
    reason, answer = f'My "team" is in Málaga. {other}', f"Not while I am in charge. {other}"
    form = {"role": Role.ADMIN.value, "reason": reason, "duration": "day"}
    sent = await (await open_browser(zoe.person)).post(f"{zoe.office.root}/access-requests/new", form)
    async with operator.writing(zoe.office.id) as db:
        db.add(
            AccessRequest(
                id=other,
                requester_id="other",
                role=Role.EDITOR.value,
                reason="kept",
                state=RequestState.DECLINED,
                created_at=now,
                decided_at=now,
                decided_by=zoe.person.id,
                answer=answer,
            )
        )
        await notify_of_decline(db, zoe.office.id, "other", other, Role.EDITOR, answer)
    own = str(sent.headers["Location"]).rsplit("/", 1)[1]
    return Written(own, str(other), reason, answer)


async def test_before_the_erasure_the_texts_are_in_several_tables(
    written: Written, zoe: Zoe, plain: AsyncEngine
) -> None:
    assert {table for table, _column in await find_texts(plain, written.texts)} == {
        "access_requests", "audit_events", "notifications"
    }  # fmt: skip


async def test_no_table_has_the_texts_or_the_person_afterwards(
    written: Written, zoe: Zoe, operator: UnitOfWork, plain: AsyncEngine
) -> None:
    await erase_person(operator, zoe.person.id)

    assert await find_texts(plain, written.texts) == set()
    left = await find_texts(plain, [zoe.person.id, zoe.person.username, zoe.email])
    assert left == {("membership_changes", "user_id")}


async def test_the_requests_stay_under_the_pseudonym(
    written: Written, zoe: Zoe, operator: UnitOfWork, runtime: Runtime
) -> None:
    erased = await erase_person(operator, zoe.person.id)

    rows = {str(row.id): row for row in await requests_of(runtime, zoe.office.id)}
    own, answered = rows[written.own], rows[written.answered]
    assert (own.requester_id, own.role, own.reason) == (erased.pseudonym, "admin", "")
    assert (own.state.value, answered.decided_by) == ("withdrawn", erased.pseudonym)
    assert (answered.requester_id, answered.reason, answered.answer) == ("other", "kept", "")
