"""How long the answer that no invitation waits is remembered."""

from __future__ import annotations

from typing import Any, cast

import pytest

from saas_app.invitations import waiting
from saas_app.invitations.waiting import NONE_FOR, WaitingInvitations
from saas_app.logto import Invitation, ManagementClient, ManagementError, OrganizationInfo
from tests.unit.clock import Clock

BOB: dict[str, Any] = {"email": "bob@example.test", "email_verified": True}
EVE: dict[str, Any] = {"email": "eve@example.test", "email_verified": True}


class Logto:
    """Answers with invitations to Acme, and counts the questions."""

    def __init__(self) -> None:
        self.questions = 0
        self.is_down = False
        self.invited: set[str] = set()

    async def list_invitations_for(self, invitee: str) -> list[Invitation]:
        self.questions += 1
        if self.is_down:
            raise ManagementError(500, "internal", "down")
        record: dict[str, Any] = {
            "id": "one", "organizationId": "acme", "invitee": invitee, "status": "Pending",
            "organizationRoles": [], "createdAt": 1, "expiresAt": 2_000,
        }  # fmt: skip
        return [Invitation.read(record)] if invitee in self.invited else []

    async def get_organization(self, organization_id: str) -> OrganizationInfo:
        return OrganizationInfo.read({"id": organization_id, "name": "Acme"})


@pytest.fixture
def logto() -> Logto:
    return Logto()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def invitations(logto: Logto, clock: Clock) -> WaitingInvitations:
    return WaitingInvitations(cast("ManagementClient", logto), clock=clock)


async def test_logto_is_asked_again_only_after_a_while_if_nothing_waits(
    logto: Logto, clock: Clock, invitations: WaitingInvitations
) -> None:
    assert [await invitations.list_for(BOB) for _ in range(3)] == [(), (), ()]
    assert logto.questions == 1
    logto.invited.add(BOB["email"])
    clock.now += NONE_FOR
    assert [found.organization_name for found in await invitations.list_for(BOB)] == ["Acme"]


async def test_an_invitation_that_was_accepted_or_revoked_is_gone_at_once(
    logto: Logto, invitations: WaitingInvitations
) -> None:
    logto.invited.add(BOB["email"])
    assert len(await invitations.list_for(BOB)) == 1
    logto.invited.clear()
    assert await invitations.list_for(BOB) == ()


async def test_an_invitation_of_this_worker_appears_at_once(
    logto: Logto, invitations: WaitingInvitations
) -> None:
    await invitations.list_for(BOB)
    logto.invited.add(BOB["email"])
    invitations.forget_none([BOB["email"].upper()])
    assert len(await invitations.list_for(BOB)) == 1


async def test_an_answer_counts_for_one_address_only(logto: Logto, invitations: WaitingInvitations) -> None:
    await invitations.list_for(BOB)
    logto.invited.add(EVE["email"])
    assert len(await invitations.list_for(EVE)) == 1


async def test_a_failure_is_not_remembered(logto: Logto, invitations: WaitingInvitations) -> None:
    logto.is_down = True
    assert await invitations.list_for(BOB) == ()
    logto.is_down = False
    logto.invited.add(BOB["email"])
    assert len(await invitations.list_for(BOB)) == 1


async def test_no_more_addresses_are_remembered_than_the_bound(
    logto: Logto, invitations: WaitingInvitations, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "_MAX_KEPT", 1)
    for person in (BOB, EVE, EVE, BOB):
        await invitations.list_for(person)
    assert logto.questions == 3


@pytest.mark.parametrize(
    "claims", [{}, {"email": "jo@example.test"}, {"email": "jo@example.test", "email_verified": False}]
)
async def test_nothing_is_looked_up_for_an_unverified_address(
    logto: Logto, invitations: WaitingInvitations, claims: dict[str, Any]
) -> None:
    logto.invited.add("jo@example.test")
    assert (await invitations.list_for(claims), logto.questions) == ((), 0)


async def test_nothing_waits_without_the_management_api() -> None:
    assert await WaitingInvitations(None).list_for(BOB) == ()
